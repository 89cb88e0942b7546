import { type Fields, isFields } from './app.ts'
import type { Refusal } from './queue-refusals.ts'

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const ID = /^[!-~]{1,128}$/
/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html */
const ATTRIBUTE_NAME = /^(?!\.)(?!.*\.\.)[\w.-]{1,256}(?<!\.)$/
const RESERVED = /^(aws|amazon)\./i
const MAX_ATTRIBUTES = 10

const refuse = (message: string): Refusal => ({ code: 'InvalidParameterValue', message })

/** What AWS refuses of a message, whether it comes alone or as an entry of a batch. */
export function refuseMessage(message: Fields): Refusal | undefined {
  for (const name of ['MessageGroupId', 'MessageDeduplicationId']) {
    const value = message[name]
    if (typeof value === 'string' && value !== '' && !ID.test(value))
      return refuse(
        `Value ${value} for parameter ${name} is invalid. Reason: ${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
      )
  }
  const attributes = isFields(message.MessageAttributes) ? Object.entries(message.MessageAttributes) : []
  if (attributes.length > MAX_ATTRIBUTES)
    return refuse(`Number of message attributes [${attributes.length}] exceeds the allowed maximum [${MAX_ATTRIBUTES}].`)
  for (const [name, attribute] of attributes) {
    const wrong = refuseAttribute(name, isFields(attribute) ? attribute : {})
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function refuseAttribute(name: string, { DataType: type, StringValue: text, BinaryValue: bytes }: Fields): Refusal | undefined {
  if (RESERVED.test(name)) return refuse(`Message (user) attribute name '${name}' must not begin with AWS. or Amazon.`)
  if (!ATTRIBUTE_NAME.test(name)) return refuse(`Message (user) attribute name '${name}' is invalid.`)
  const value = String(type).startsWith('Binary') ? bytes : text
  return typeof value === 'string' && value !== ''
    ? undefined
    : refuse(`Message (user) attribute '${name}' must contain a non-empty value of type '${String(type)}'.`)
}
