import { Operation, ProblemDocument } from '../edge.ts'
import type { Fetch } from './cognito.ts'
import type { Request } from './request.ts'

/** The mesh said no: the problem document as an error. */
export class ProblemError extends Error {
  readonly problem: ProblemDocument
  readonly status: number
  readonly code: string
  constructor(problem: ProblemDocument, request: string) {
    const fields = problem.errors?.map(e => ` ${e.pointer} ${e.message};`).join('') ?? ''
    super(`${request}: ${problem.status} ${problem.code}: ${problem.detail ?? problem.title}${fields}`)
    this.name = 'ProblemError'
    this.problem = problem
    this.status = problem.status
    this.code = problem.code
  }
}

/** An answer as it came. `text` is empty for 204 and 304. */
export type Exchange = { readonly status: number; readonly headers: Headers; readonly text: string }
export type SendOptions = {
  /** The Idempotency-Key; one is made up for each `send` otherwise, and kept over its retries. */
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
  /** How long to go on trying, ms. */
  readonly patience?: number
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
/** Full jitter, so that clients that failed together do not come back together. */
export const backOff = (attempt: number, base = 100, most = 5_000) => Math.random() * Math.min(most, base * 2 ** attempt)
const retryAfter = (headers: Headers) => Number(headers.get('retry-after') ?? Number.NaN) * 1000

export const problemOf = ({ status, text }: Exchange, request: string): ProblemError => {
  const found = ProblemDocument.safeParse(jsonOr(text))
  const problem = found.data ?? { type: 'about:blank', title: text.slice(0, 200), status, code: 'not-a-problem-document' }
  return new ProblemError(problem, request)
}
const jsonOr = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @param token the bearer token of the moment; `renewed` asks for a new one, after a 401 */
export const exchanger = (base: string, fetch: Fetch, token: (renewed: boolean) => Promise<string | null>) => {
  const once = async (request: Request, headers: Readonly<Record<string, string>>, renewed: boolean): Promise<Exchange> => {
    const bearer = await token(renewed)
    const response = await fetch(new URL(request.path, base).href, {
      method: request.method,
      headers: {
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
        ...headers,
      },
      ...(request.body === undefined ? {} : { body: request.body }),
      signal: AbortSignal.timeout(30_000),
    })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
  /** Tries until there is an answer worth having. A write carries one key through all tries, so that it takes effect once. */
  const persist = async (request: Request, { key, headers = {}, patience = 30_000 }: SendOptions): Promise<Exchange> => {
    const until = performance.now() + patience
    const all = request.writes ? { 'idempotency-key': key ?? crypto.randomUUID(), ...headers } : headers
    for (let attempt = 0, renewed = false; ; attempt += 1) {
      const tried = await once(request, all, renewed).catch((error: unknown) => ({ error }))
      const spent = (wait: number) => performance.now() + wait > until
      if ('error' in tried) {
        const wait = backOff(attempt)
        if (spent(wait)) throw new Error(`${request.method} ${request.path} found no one: ${String(tried.error)}`, { cause: tried.error })
        await pause(wait)
      } else if (tried.status === 503 || tried.status === 429) {
        const wait = (retryAfter(tried.headers) || 0) + backOff(attempt)
        if (spent(wait)) return tried
        await pause(wait)
      } else if (tried.status === 401 && !renewed) renewed = true
      else return tried
    }
  }
  /** Follows a 202 to its end. */
  const settle = async (accepted: Exchange, patience = 60_000): Promise<Operation> => {
    const until = performance.now() + patience
    const path = accepted.headers.get('location') ?? ''
    for (let attempt = 0; ; attempt += 1) {
      const answer = await persist({ method: 'GET', path, writes: false }, { patience })
      if (answer.status !== 200) throw problemOf(answer, `GET ${path}`)
      const operation = Operation.parse(JSON.parse(answer.text))
      if (operation.status !== 'pending') return operation
      if (performance.now() > until) throw new Error(`${path} is still pending after ${patience} ms`)
      await pause(50 + backOff(attempt, 50, 1_000))
    }
  }
  return { once, persist, settle }
}
