import { type App, type Fields, INNER, isFields, sqsAction } from './app.ts'
import { receiptHandles } from './handles.ts'
import { refuseMessage } from './message-refusals.ts'
import { type Refusal, refuseAttributes, refuseNewQueue } from './queue-refusals.ts'
import type { Queue, SqsStore } from './stores.ts'

const MAX_ENTRIES = 10
const BATCH_ID = /^[\w-]{1,80}$/

/** A batch entry that is refused alone; the others are done. */
type Failed = { Id: string; SenderFault: true; Code: string; Message: string }

/** Refuses requests to SQS that the emulator accepts and AWS does not, entry by entry where AWS does so, with its codes. */
export function refuseOfSqs(app: App, store: SqsStore): void {
  const handles = receiptHandles()
  const failures = new WeakMap<object, Failed[]>()

  const check = (action: string, queue: Queue, entry: Fields): Refusal | undefined => {
    if (action.startsWith('SendMessage')) return refuseMessage(entry)
    const own = handles.open(queue, action, entry)
    if (typeof own !== 'string') return own
    entry.ReceiptHandle = own
    return undefined
  }
  /** Takes what is refused out of a batch. */
  const checkBatch = (action: string, queue: Queue, body: Fields): Refusal | Failed[] => {
    const entries = Array.isArray(body.Entries) ? body.Entries.filter(isFields) : []
    const ids = entries.map(entry => String(entry.Id))
    // What fails the whole batch the emulator sees itself, but for the length of ids.
    if (entries.length > MAX_ENTRIES || new Set(ids).size < ids.length) return []
    if (ids.some(id => !BATCH_ID.test(id)))
      return {
        code: 'InvalidBatchEntryId',
        message: 'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
      }
    const refused = new Map(entries.map(entry => [entry, check(action, queue, entry)]))
    body.Entries = entries.filter(entry => refused.get(entry) === undefined)
    return entries.flatMap(entry => {
      const wrong = refused.get(entry)
      return wrong === undefined ? [] : [{ Id: String(entry.Id), SenderFault: true, Code: wrong.code, Message: wrong.message }]
    })
  }
  const refuse = (action: string, body: Fields): Refusal | Failed[] | undefined => {
    if (action === 'CreateQueue') return refuseNewQueue(body, store)
    const queue = store.getQueue(String(body.QueueUrl))
    if (queue === undefined) return undefined
    if (action === 'SetQueueAttributes') return refuseAttributes(body, queue, store)
    if (/^(SendMessage|DeleteMessage|ChangeMessageVisibility)Batch$/.test(action)) return checkBatch(action, queue, body)
    return /^(SendMessage|DeleteMessage|ChangeMessageVisibility)$/.test(action) ? check(action, queue, body) : undefined
  }

  app.addHook('preHandler', async (request, reply) => {
    const action = sqsAction(request.headers)
    if (action === undefined || request.headers[INNER] !== undefined || !isFields(request.body)) return
    const refused = refuse(action, request.body)
    if (refused === undefined) return
    if (!Array.isArray(refused)) {
      reply.header('x-amzn-query-error', `${refused.code === 'InvalidBatchEntryId' ? 'AWS.SimpleQueueService.' : ''}${refused.code};Sender`)
      return reply
        .status(400)
        .type('application/x-amz-json-1.0')
        .send({ __type: `com.amazonaws.sqs#${refused.code}`, message: refused.message })
    }
    if (refused.length === 0) return
    const left = Array.isArray(request.body.Entries) ? request.body.Entries.length : 0
    if (left === 0) return reply.type('application/x-amz-json-1.0').send({ Successful: [], Failed: refused })
    failures.set(request, refused)
  })

  app.addHook('preSerialization', async (request, reply, payload) => {
    const action = sqsAction(request.headers)
    if (action === undefined || request.headers[INNER] !== undefined || reply.statusCode !== 200 || !isFields(payload)) return payload
    const failed = failures.get(request)
    if (failed !== undefined) return { ...payload, Failed: [...(Array.isArray(payload.Failed) ? payload.Failed : []), ...failed] }
    if (!Array.isArray(payload.Messages) || !isFields(request.body)) return payload
    const queue = store.getQueue(String(request.body.QueueUrl))
    return queue === undefined ? payload : { ...payload, Messages: payload.Messages.map(message => handles.sign(queue, message)) }
  })
}
