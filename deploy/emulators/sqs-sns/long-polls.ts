import { type App, type Fields, INNER, isFields, sqsAction } from './app.ts'

type Request = {
  body: unknown
  headers: Record<string, string | string[] | undefined>
  raw: { socket: { destroyed: boolean; readableEnded: boolean } }
}

/**
 * Makes `ReceiveMessage` behave as it does on AWS where the emulator differs:
 * - one new message wakes every poll of its queue, and those that find nothing answer empty, so that idle pollers spin: they wait on;
 * - a poll whose client is gone still takes messages, which then stay invisible for the whole timeout. So it is on AWS; here they go back at once, unless
 *   polls are `outliving` their clients;
 * - message attributes are answered unasked: code that forgets to ask for them would work here and fail there.
 */
export function holdLongPolls(app: App, outliving: boolean): void {
  const isOver = (request: Request): boolean => !outliving && isGone(request)

  const call = async (action: string, headers: Request['headers'], body: Fields): Promise<Fields | undefined> => {
    const response = await app.inject({
      method: 'POST',
      url: '/',
      headers: {
        host: String(headers.host),
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `AmazonSQS.${action}`,
        [INNER]: '1',
      },
      payload: JSON.stringify(body),
    })
    const answer: unknown = response.json()
    return response.statusCode === 200 && isFields(answer) ? answer : undefined
  }

  const waitOn = async (request: Request, body: Fields, deadline: number, first: Fields): Promise<Fields> => {
    let answer = first
    while (!isOver(request) && !Array.isArray(answer.Messages)) {
      const left = deadline - performance.now()
      if (left <= 0) break
      const next = await call('ReceiveMessage', request.headers, { ...body, WaitTimeSeconds: left / 1000 })
      // The queue was deleted meanwhile, which the client's next poll sees itself, or this server closes.
      if (next === undefined) break
      answer = next
    }
    return answer
  }

  const giveBack = async (request: Request, queueUrl: unknown, messages: unknown[]): Promise<void> => {
    const entries = messages.map((message, at) => ({
      Id: String(at),
      ReceiptHandle: isFields(message) ? message.ReceiptHandle : '',
      VisibilityTimeout: 0,
    }))
    await call('ChangeMessageVisibilityBatch', request.headers, { QueueUrl: queueUrl, Entries: entries })
  }

  const deadlines = new WeakMap<object, number>()

  app.addHook('preHandler', async request => {
    if (sqsAction(request.headers) !== 'ReceiveMessage' || request.headers[INNER] !== undefined) return
    const seconds = isFields(request.body) ? Number(request.body.WaitTimeSeconds ?? 0) : 0
    if (seconds > 0) deadlines.set(request, performance.now() + seconds * 1000)
  })

  app.addHook('preSerialization', async (request, reply, payload) => {
    if (sqsAction(request.headers) !== 'ReceiveMessage' || request.headers[INNER] !== undefined) return payload
    if (reply.statusCode !== 200 || !isFields(payload) || !isFields(request.body)) return payload
    const deadline = deadlines.get(request)
    const answer = deadline === undefined ? payload : await waitOn(request, request.body, deadline, payload)
    if (!Array.isArray(answer.Messages)) return answer
    if (isOver(request)) {
      await giveBack(request, request.body.QueueUrl, answer.Messages)
      return {}
    }
    const asked = request.body.MessageAttributeNames
    return Array.isArray(asked) && asked.length > 0 ? answer : { Messages: answer.Messages.map(withoutAttributes) }
  })
}

/** Half-closed counts: no SDK reads an answer after it ended its side. */
function isGone({ raw: { socket } }: Request): boolean {
  return socket.destroyed || socket.readableEnded
}

function withoutAttributes(message: unknown): unknown {
  if (!isFields(message)) return message
  const { MessageAttributes: _dropped, MD5OfMessageAttributes: _digest, ...rest } = message
  return rest
}
