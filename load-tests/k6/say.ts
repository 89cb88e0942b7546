import exec from 'k6/execution'
import http from 'k6/http'
import { z } from 'zod'
import { type AnswerTo, type DataOf, type Reads, type Request, requestOf, type Writes } from '../../contracts/client/request.ts'
import { Operation } from '../../contracts/edge.ts'
import { mesh } from '../../contracts/mesh.ts'
import { conforms } from './contract.ts'
import { accepted202, failures, refused429, refused503 } from './metrics.ts'
import { baseUrl } from './settings.ts'
import { pause } from './wait.ts'

export type Speaker = { readonly token: string }

/** How long to go on where the mesh asks for another try, and to follow a 202. */
const PATIENCE_MS = 30_000
const UNEXPECTED = 'an unexpected answer'

/** k6 would count a refusal for load as a failed request; here a retry gets over it, and metrics of its own count it. */
http.setResponseCallback(http.expectedStatuses({ min: 200, max: 399 }, 404, 429, 503))

let serial = 0
const keyOfNext = (): string => `k6-${Date.now()}-${exec.vu.idInTest}-${serial++}-${Math.random().toString(36).slice(2)}`

const exchange = async (by: Speaker, name: string, request: Request) => {
  const until = Date.now() + PATIENCE_MS
  const params = {
    headers: {
      authorization: `Bearer ${by.token}`,
      ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
      // one key for all tries: the write takes effect once
      ...(request.writes ? { 'idempotency-key': keyOfNext() } : {}),
    },
    // what is said while the people gather is no part of the figures
    tags: { name: exec.vu.idInTest === 0 ? `setup ${name}` : name },
    timeout: PATIENCE_MS,
  }
  for (;;) {
    const response = await http.asyncRequest(request.method, `${baseUrl}${request.path}`, request.body ?? null, params)
    const counter = { 429: refused429, 503: refused503 }[response.status]
    if (counter === undefined) return response
    counter.add(1)
    const wait = Number(response.headers['Retry-After'] ?? 1) * 1000 * (1 + Math.random() / 4)
    if (Date.now() + wait > until) return response
    await pause(wait)
  }
}
type Response = Awaited<ReturnType<typeof exchange>>
const textOf = ({ body }: Response): string => (typeof body === 'string' ? body : '')

/** Follows a 202 to its end: the status and body that the caller would have had. */
const settle = async (by: Speaker, name: string, accepted: Response): Promise<{ status: number; text: string }> => {
  accepted202.add(1)
  const path = accepted.headers.Location ?? ''
  for (const until = Date.now() + PATIENCE_MS; ; await pause(100)) {
    const answer = await exchange(by, 'operation', { method: 'GET', path, writes: false })
    if (answer.status !== 200) return { status: answer.status, text: textOf(answer) }
    const { status, problem, result } = Operation.parse(JSON.parse(textOf(answer)))
    if (status === 'failed') return { status: problem?.status ?? 500, text: JSON.stringify(problem) }
    if (status === 'done') return { status: statusOf(name), text: result === undefined || result === null ? '' : JSON.stringify(result) }
    if (Date.now() > until) return { status: 202, text: `still pending after ${PATIENCE_MS} ms` }
  }
}

/** The success that an operation does not tell: the first that the contract names. */
const statusOf = (type: string): number => Number(Object.keys(mesh.commands.get(type)?.command.answer ?? { 200: 0 })[0])

const lists = new Map<string, z.ZodType>()
const listOf = (type: string, item: z.ZodType): z.ZodType => {
  const known = lists.get(type) ?? z.object({ items: z.array(item), next: z.string().nullable() })
  lists.set(type, known)
  return known
}
/** What the contract says of the body of an answer. */
const schemaOf = (type: string, status: number): z.ZodType | undefined => {
  const command = mesh.commands.get(type)?.command
  const query = mesh.queries.get(type)?.query
  if (command) return Object.entries(command.answer).find(([known]) => known === String(status))?.[1]
  if (query && status === 200) return query.list ? listOf(type, query.answer) : query.answer
  return undefined
}

const answerTo = async <T extends Writes | Reads>(by: Speaker, type: T, data: DataOf<T>) => {
  const first = await exchange(by, type, requestOf(type, data))
  return first.status === 202 ? settle(by, type, first) : { status: first.status, text: textOf(first) || first.error }
}

/**
 * Says or asks something, over 429, 503 and 202; the status, and of the first answers the body, must be what the contract says.
 * @throws an error that names what came instead
 */
export const say = async <T extends Writes | Reads>(by: Speaker, type: T, data: DataOf<T>): Promise<AnswerTo<T>> => {
  const { status, text } = await answerTo(by, type, data)
  const schema = schemaOf(type, status)
  if (schema === undefined) throw new Error(`${type}: ${UNEXPECTED}: ${status} ${text.slice(0, 300)}`)
  const body: AnswerTo<T> = text === '' ? undefined : JSON.parse(text)
  conforms(`the answer to ${type}`, schema, body)
  failures.add(false)
  return body
}

/** Asks for something that must not be there. @throws an error when it is */
export const missing = async <T extends Reads>(by: Speaker, type: T, data: DataOf<T>): Promise<void> => {
  const { status, text } = await answerTo(by, type, data)
  if (status !== 404) throw new Error(`${type}: ${UNEXPECTED}, 404 was due: ${status} ${text.slice(0, 300)}`)
  failures.add(false)
}
