import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { Producer } from 'sqs-producer'
import { batcher, type Outcome } from '../aws/batcher.ts'
import { isRefusalCode } from '../aws/failures.ts'
import { isFifo, MOST_BYTES } from './limits.ts'
import { type Outgoing, Unsendable } from './port.ts'

/** Most entries of any SQS batch. */
const ENTRIES = 10
/** One request sends 10 messages; at 15 ms a request four lanes send 2,700/s, and while they are busy their batches fill. */
const SEND_LANES = 4
const ACK_LANES = 2

type Queue = { readonly name: string; readonly sqs: SQSClient; readonly url: () => Promise<string> }
const DONE: Outcome<void> = { ok: true, value: undefined }
type BatchAnswer = {
  readonly Successful?: readonly { readonly Id: string | undefined }[] | undefined
  readonly Failed?: readonly BatchResultErrorEntry[] | undefined
}

/**
 * Entries are named by their positions: an entry id given twice fails the whole batch. One that the answer does not name at all has not succeeded: such an
 * answer is something's between us and the queue.
 */
const outcomes = (
  name: string,
  count: number,
  { Successful, Failed }: BatchAnswer,
  error: (at: number, entry: BatchResultErrorEntry) => Error | undefined,
): Outcome<void>[] => {
  const result = Array.from({ length: count }, (_, at): Outcome<void> => {
    return { ok: false, error: new Error(`what came of entry ${at} is not in the answer of ${name}`) }
  })
  for (const { Id } of Successful ?? []) result[Number(Id)] = DONE
  for (const entry of Failed ?? []) {
    const at = Number(entry.Id)
    const wrong = error(at, entry)
    result[at] = wrong ? { ok: false, error: wrong } : DONE
  }
  return result
}

export type Weighed = { readonly message: Outgoing; readonly bytes: number }

/** Sends messages of many callers in shared requests, those of a group in the order of the calls. */
export const sqsSends = ({ name, sqs, url }: Queue) => {
  const fifo = isFifo(name)
  return batcher<Weighed, void>({
    count: ENTRIES,
    bytes: { most: MOST_BYTES, of: item => item.bytes },
    concurrency: SEND_LANES,
    order: item => item.message.group,
    flush: async items => {
      // The library says which entries failed, not why: the reasons are in the answer, which passes here.
      let answer: BatchAnswer | undefined
      const overheard: SQSClient = Object.create(sqs, {
        send: {
          value: async (command: SendMessageBatchCommand) => {
            const said = await sqs.send(command)
            answer = said
            return said
          },
        },
      })
      const producer = Producer.create({ queueUrl: await url(), sqs: overheard, batchSize: ENTRIES })
      const entries = items.map(({ message: { id, group, body, attributes } }, at) => ({
        id: String(at),
        body,
        ...(fifo && group !== undefined ? { groupId: group, deduplicationId: id } : {}),
        ...(attributes ? { messageAttributes: strings(attributes) } : {}),
      }))
      try {
        await producer.send(entries)
      } catch (error) {
        // Nothing was answered: the whole request failed, and with it all its callers.
        if (!answer) throw error
      }
      return outcomes(name, items.length, answer ?? {}, (at, entry) => {
        const why = `${name} refused message ${JSON.stringify(items[at]?.message.id)}: ${entry.Code} ${entry.Message ?? ''}`
        return isRefusalCode(entry.Code ?? '') ? new Unsendable(why) : new Error(why)
      })
    },
  })
}
const strings = (attributes: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]))

/** What queues say of a handle whose message was received again since, or is gone: somebody else has it now, which is no error. */
const STALE = /ReceiptHandle|MessageNotInflight|InvalidParameterValue/
const unlessStale = (doing: string) => (_: number, entry: BatchResultErrorEntry) =>
  STALE.test(entry.Code ?? '') ? undefined : new Error(`${doing}: ${entry.Code} ${entry.Message ?? ''}`)

/** Takes messages off a queue by their receipt handles, many in a request. */
export const sqsAcks = ({ name, sqs, url }: Queue) =>
  batcher<string, void>({
    count: ENTRIES,
    concurrency: ACK_LANES,
    flush: async handles => {
      const Entries = handles.map((ReceiptHandle, at) => ({ Id: String(at), ReceiptHandle }))
      const answer = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: await url(), Entries }))
      return outcomes(name, handles.length, answer, unlessStale(`${name} did not remove a message`))
    },
  })

/** Changes how long messages stay hidden. One request at a time, so that giving a message back is not overtaken by an earlier heartbeat. */
export const sqsExtends = ({ name, sqs, url }: Queue) =>
  batcher<{ readonly handle: string; readonly seconds: number }, void>({
    count: ENTRIES,
    flush: async items => {
      const Entries = items.map(({ handle, seconds }, at) => ({ Id: String(at), ReceiptHandle: handle, VisibilityTimeout: seconds }))
      const answer = await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: await url(), Entries }))
      return outcomes(name, items.length, answer, unlessStale(`${name} did not keep a message hidden`))
    },
  })
