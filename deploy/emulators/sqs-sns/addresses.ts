import { type App, isFields, sqsAction } from './app.ts'

/**
 * Gives queues addresses on the endpoint itself.
 * The emulator's own, `http://sqs.<region>.localhost:<port>/...`, do not resolve everywhere, and an SDK whose endpoint comes
 * from the environment sends its requests to the host of the queue's address.
 */
export function addressQueues(app: App): void {
  const internal = new Map<string, string>()

  const publish = (host: string, url: string): string => {
    const path = new URL(url).pathname
    internal.set(path, url)
    return `http://${host}${path}`
  }

  app.addHook('preHandler', async request => {
    if (!isFields(request.body) || typeof request.body.QueueUrl !== 'string' || !URL.canParse(request.body.QueueUrl)) return
    const known = internal.get(new URL(request.body.QueueUrl).pathname)
    if (known !== undefined) request.body.QueueUrl = known
  })

  app.addHook('preSerialization', async (request, _reply, payload) => {
    if (sqsAction(request.headers) === undefined || !isFields(payload)) return payload
    if (typeof payload.QueueUrl === 'string') return { ...payload, QueueUrl: publish(request.host, payload.QueueUrl) }
    if (!Array.isArray(payload.QueueUrls)) return payload
    return { ...payload, QueueUrls: payload.QueueUrls.map(url => (typeof url === 'string' ? publish(request.host, url) : url)) }
  })
}
