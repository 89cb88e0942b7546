import { Unsendable } from '../mailbox/port.ts'
import type { Published } from './port.ts'

/** SNS limits, for one message and for a batch: https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html */
export const MOST_BYTES = 262_144
export const MOST_ENTRIES = 10

/**
 * How many bytes of a batch an event takes: its body and its attribute `type`. What a topic would refuse is refused before it shares a request.
 * @throws Unsendable naming the event and what is wrong
 */
export const weigh = ({ topic, id, type, body }: Published): number => {
  const bytes = Buffer.byteLength(body) + 'type'.length + 'String'.length + Buffer.byteLength(type)
  const wrong =
    type === ''
      ? 'it has no type'
      : body === ''
        ? 'its body is empty'
        : bytes > MOST_BYTES
          ? `it has ${bytes} bytes, at most ${MOST_BYTES} are taken`
          : ''
  if (wrong !== '') throw new Unsendable(`the topic ${topic} cannot take event ${JSON.stringify(id)} (${type}): ${wrong}`)
  return bytes
}

/** Waits for all of them, however some fail, so that nobody goes on while a request is under way. @throws what the first that failed says */
export const allOf = async (publishes: readonly Promise<void>[]): Promise<void> => {
  const outcomes = await Promise.allSettled(publishes)
  const failed = outcomes.filter(o => o.status === 'rejected')
  if (failed[0] === undefined) return
  if (failed.length === 1) throw failed[0].reason
  throw new AggregateError(
    failed.map(f => f.reason),
    `${failed.length} of ${publishes.length} events could not be published; the first: ${String(failed[0].reason)}`,
  )
}
