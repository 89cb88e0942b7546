import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { type Fields, isFields } from './app.ts'
import type { Refusal } from './queue-refusals.ts'
import type { Queue } from './stores.ts'

const MAX_HIDDEN_SECONDS = 43_200

/** What a receipt handle tells: the emulator's own, whose message it is, and when it was received (epoch ms). */
type Receipt = { readonly own: string; readonly messageId: string; readonly receivedAt: number }

/**
 * Receipt handles as they are given out. The emulator's own are known as long as their message is in flight and not a moment longer, so that it cannot
 * tell a handle that was made up from an old one, nor an old one from one whose message was deleted. Signed for their queue, they tell it themselves.
 */
export function receiptHandles() {
  const secret = randomBytes(32)
  const mac = (queue: Queue, text: string) => createHmac('sha256', secret).update(`${queue.arn}\0${text}`).digest()

  const write = (queue: Queue, own: string, messageId: string): string => {
    const text = `${own}.${messageId}.${Date.now()}`
    return `${text}.${mac(queue, text).toString('base64url')}`
  }
  const read = (queue: Queue, handle: unknown): Receipt | undefined => {
    const [own = '', messageId = '', receivedAt = '', given = ''] = String(handle).split('.')
    const signed = Buffer.from(given, 'base64url')
    const wanted = mac(queue, `${own}.${messageId}.${receivedAt}`)
    return signed.length === wanted.length && timingSafeEqual(signed, wanted)
      ? { own, messageId, receivedAt: Number(receivedAt) }
      : undefined
  }
  return {
    /** A message with a handle for its receiver. */
    sign: (queue: Queue, message: unknown): unknown => {
      if (!isFields(message)) return message
      return { ...message, ReceiptHandle: write(queue, String(message.ReceiptHandle), String(message.MessageId)) }
    },
    /** The emulator's own handle in a request, or why AWS refuses it. */
    open: (queue: Queue, action: string, { ReceiptHandle: handle, VisibilityTimeout: seconds }: Fields): string | Refusal => {
      const receipt = read(queue, handle)
      if (receipt === undefined)
        return { code: 'ReceiptHandleIsInvalid', message: `The input receipt handle "${String(handle)}" is not a valid receipt handle.` }
      const refuse = (name: string, value: unknown, reason: string): Refusal => ({
        code: 'InvalidParameterValue',
        message: `Value ${String(value)} for parameter ${name} is invalid. Reason: ${reason}`,
      })
      if (action.startsWith('Delete') && queue.isFifo() && isExpired(queue, receipt))
        return refuse('ReceiptHandle', handle, 'The receipt handle has expired.')
      const hiddenSeconds = Math.floor((Date.now() - receipt.receivedAt) / 1_000)
      if (action.startsWith('Change') && hiddenSeconds + Number(seconds) > MAX_HIDDEN_SECONDS && Number(seconds) <= MAX_HIDDEN_SECONDS)
        return refuse(
          'VisibilityTimeout',
          seconds,
          `Total VisibilityTimeout for the message is beyond the limit [${MAX_HIDDEN_SECONDS} seconds]`,
        )
      return receipt.own
    },
  }
}

/** Whether the message is there still and this handle is its no more; one that was deleted is gone, and deleting it again is fine. */
function isExpired(queue: Queue, { own, messageId }: Receipt): boolean {
  const held = queue.inflightMessages.get(own)
  if (held !== undefined) return held.visibilityDeadline <= Date.now()
  const { ready, delayed, inflight } = queue.inspectMessages()
  return [...ready, ...delayed, ...inflight.map(entry => entry.message)].some(message => message.messageId === messageId)
}
