import { isFields } from './app.ts'

/** What SQS refuses in a body: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const FOREIGN = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u

/** The emulator's own pattern looks at UTF-16 units and so refuses every character beyond U+FFFF, all emoji among them, which SQS takes. */
export async function takeAllCharacters(): Promise<void> {
  const types: unknown = await import(new URL('sqs/sqsTypes.js', import.meta.resolve('fauxqs')).href)
  const pattern = isFields(types) ? types.INVALID_MESSAGE_BODY_CHAR : undefined
  if (!(pattern instanceof RegExp)) throw new Error('fauxqs has no INVALID_MESSAGE_BODY_CHAR any more: does it take emoji by itself now?')
  pattern.test = body => FOREIGN.test(body)
}
