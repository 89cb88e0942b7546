import { isQueueId } from './ids.ts'
import { type Outgoing, Unsendable } from './port.ts'

/** SQS limits: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
export const MOST_BYTES = 262_144
const MOST_ATTRIBUTES = 10
const MOST_CHARACTERS = 128
const MOST_HIDDEN_SECONDS = 43_200

/** Characters that SQS does not take; half a surrogate pair, which it does not take either, it refuses by itself and alone. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const FOREIGN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/

export const isFifo = (queue: string): boolean => queue.endsWith('.fifo')

/**
 * How many bytes of a batch a message takes. What a queue would refuse is refused here, before it shares a request: some of it would fail the whole batch,
 * and every queue should refuse alike.
 * @throws Unsendable naming queue, message and what is wrong
 */
export const weigh = (queue: string, message: Outgoing): number => {
  const { id, group, body, attributes } = message
  const refuse = (why: string): never => {
    throw new Unsendable(`${queue} cannot take message ${JSON.stringify(id.slice(0, MOST_CHARACTERS))}: ${why}`)
  }
  if (isFifo(queue)) {
    if (!group) refuse('a FIFO queue needs its group')
    for (const [name, text] of [
      ['group', group ?? ''],
      ['id', id],
    ] as const) {
      if (text === '' || text.length > MOST_CHARACTERS)
        refuse(`its ${name} has ${text.length} characters, 1 to ${MOST_CHARACTERS} are taken`)
      if (!isQueueId(text)) refuse(`its ${name} ${JSON.stringify(text)} has characters other than letters, digits and punctuation of ASCII`)
    }
  }
  if (body === '') refuse('its body is empty')
  if (FOREIGN.test(body)) refuse('its body has characters that no queue takes')
  let bytes = Buffer.byteLength(body)
  if (attributes) {
    const entries = Object.entries(attributes)
    if (entries.length > MOST_ATTRIBUTES) refuse(`it has ${entries.length} attributes, at most ${MOST_ATTRIBUTES} are taken`)
    for (const [name, value] of entries) {
      if (value === '' || FOREIGN.test(value)) refuse(`its attribute ${name} is ${JSON.stringify(value)}`)
      bytes += Buffer.byteLength(name) + 'String'.length + Buffer.byteLength(value)
    }
  }
  if (bytes > MOST_BYTES) refuse(`it has ${bytes} bytes, at most ${MOST_BYTES} are taken`)
  return bytes
}

/** The seconds, if a message can be hidden for so long. A queue's own refusal could not be told from that of a stale handle. */
export const checkHidden = (seconds: number): number => {
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= MOST_HIDDEN_SECONDS) return seconds
  throw new RangeError(`a message can be hidden for 0 to ${MOST_HIDDEN_SECONDS} whole seconds, not ${seconds}`)
}
