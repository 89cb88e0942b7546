import { createHash } from 'node:crypto'
import { type App, type Fields, INNER, isFields, sqsAction } from './app.ts'
import type { SqsStore } from './stores.ts'

/** Stands between group and id while the emulator looks whether it has seen them; no id holds it. */
const BETWEEN = '\0'

/**
 * Lets a queue whose DeduplicationScope is `messageGroup` take the same id once a group: the emulator knows only the scope `queue`. The group is written before
 * the id for as long as the emulator compares, and taken off as the message goes into its queue.
 */
export function deduplicateByGroup(app: App, store: SqsStore): void {
  const createQueue = store.createQueue.bind(store)
  store.createQueue = (...args) => {
    const queue = createQueue(...args)
    const enqueue = queue.enqueue.bind(queue)
    queue.enqueue = message => {
      const [, id] = message.messageDeduplicationId?.split(BETWEEN) ?? []
      if (id !== undefined) message.messageDeduplicationId = id
      enqueue(message)
    }
    return queue
  }
  const widen = (message: Fields, byContent: boolean): void => {
    const { MessageGroupId: group, MessageDeduplicationId: id, MessageBody: body } = message
    const own = typeof id === 'string' && id !== '' ? id : byContent ? createHash('sha256').update(String(body)).digest('hex') : undefined
    if (typeof group === 'string' && own !== undefined) message.MessageDeduplicationId = `${group}${BETWEEN}${own}`
  }
  app.addHook('preHandler', async request => {
    const action = sqsAction(request.headers)
    if (!action?.startsWith('SendMessage') || request.headers[INNER] !== undefined || !isFields(request.body)) return
    const queue = store.getQueue(String(request.body.QueueUrl))
    if (queue?.attributes.DeduplicationScope !== 'messageGroup') return
    const entries = Array.isArray(request.body.Entries) ? request.body.Entries.filter(isFields) : [request.body]
    for (const entry of entries) widen(entry, queue.attributes.ContentBasedDeduplication === 'true')
  })
}
