import { Agent, type Dispatcher } from 'undici'
import { aborted, connectionFailure, notAnAnswer, tooLate } from './failures.ts'

export type HttpLimits = {
  /** Connections to an engine at once; further requests wait, and their time counts. */
  readonly connections: number
  readonly connectMs: number
  /** For one try: waiting for a connection, asking, and reading the whole answer. */
  readonly requestMs: number
}

/** What the SDK hands to a request handler, as far as DynamoDB, SQS and SNS use it. */
type Request = {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query?: Readonly<Record<string, unknown>>
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: string | Uint8Array
}
type Options = { readonly abortSignal?: AbortSignal; readonly requestTimeout?: number }
type Response = {
  readonly statusCode: number
  readonly reason?: string
  readonly headers: Record<string, string>
  readonly body: Uint8Array
}

/** The largest answer of an engine is a BatchGetItem of 16 MB; anything far beyond it is no answer. */
const MAX_ANSWER = 32 * 1024 * 1024
/** Shorter than engines keep idle connections, so that a request seldom meets one that is just being closed. */
const IDLE_MS = 10_000

const single = (headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> => {
  const result: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return result
}

/** Engines send JSON or XML; an empty answer has at least the request's id. */
const isAnswer = (headers: Readonly<Record<string, string>>, body: Uint8Array): boolean =>
  body.length > 0 ? !headers['content-type']?.startsWith('text/html') : 'x-amzn-requestid' in headers || 'x-amz-request-id' in headers

/**
 * The SDK's way to the network, over undici, which costs half the CPU of the SDK's own. It reads the whole answer before it hands it on, so that one
 * deadline covers a connection that hangs, an engine that is silent and a body that drips.
 */
export const httpHandler = ({ connections, connectMs, requestMs }: HttpLimits) => {
  const agent = new Agent({
    connections,
    connect: { timeout: connectMs },
    keepAliveTimeout: IDLE_MS,
    maxResponseSize: MAX_ANSWER,
    // The deadline is kept here; undici's own count only the silence between two chunks.
    headersTimeout: 0,
    bodyTimeout: 0,
  })

  const handle = (request: Request, { abortSignal, requestTimeout }: Options = {}) =>
    new Promise<{ response: Response }>((resolve, reject) => {
      const origin = `${request.protocol}//${request.hostname}${request.port === undefined ? '' : `:${request.port}`}`
      if (request.query && Object.keys(request.query).length > 0) throw new Error(`a query string is not supported (to ${origin})`)
      const ms = requestTimeout ?? requestMs
      const chunks: Buffer[] = []
      let answer: Omit<Response, 'body'> | undefined
      let controller: Dispatcher.DispatchController | undefined
      let stopped: Error | undefined

      const done = () => {
        clearTimeout(timer)
        abortSignal?.removeEventListener('abort', onAbort)
      }
      // A request that still waits for a connection has no controller yet: it is told when its turn comes.
      const stop = (error: Error) => {
        done()
        stopped = error
        controller?.abort(error)
        reject(error)
      }
      const onAbort = () => stop(aborted(origin, abortSignal?.reason))
      const timer = setTimeout(() => stop(tooLate(origin, ms)), ms)
      if (abortSignal?.aborted) return onAbort()
      abortSignal?.addEventListener('abort', onAbort, { once: true })

      agent.dispatch(
        {
          origin,
          path: request.path,
          method: request.method,
          headers: request.headers,
          body: request.body ?? null,
        },
        {
          onRequestStart(started) {
            controller = started
            if (stopped) started.abort(stopped)
          },
          onResponseStart(_, statusCode, headers, reason) {
            answer = { statusCode, headers: single(headers), ...(reason === undefined ? {} : { reason }) }
          },
          onResponseData(_, chunk) {
            chunks.push(chunk)
          },
          onResponseEnd() {
            done()
            const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
            if (!answer || !isAnswer(answer.headers, body)) return reject(notAnAnswer(origin, answer?.statusCode ?? 0))
            resolve({ response: { ...answer, body } })
          },
          onResponseError(_, error) {
            done()
            reject(connectionFailure(error, origin))
          },
        },
      )
    })

  return {
    metadata: { handlerProtocol: 'http/1.1' },
    handle,
    /** The SDK calls it when a client is destroyed: requests under way end with an error. */
    destroy: () => void agent.destroy(),
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  }
}
