import type { Reply } from '../../contracts/declare/envelope.ts'
import type { EDGE_PROBLEMS } from '../../contracts/declare/problems.ts'
import type { FieldError, Refusal } from '../../contracts/declare/rules.ts'
import type { ProblemDocument } from '../../contracts/edge.ts'
import { mesh } from '../../contracts/mesh.ts'
import type { EdgeAnswer } from './request.ts'

export type ProblemCode = keyof typeof EDGE_PROBLEMS

/**
 * The edge says no. Whatever is thrown ends as a problem document (RFC 9457); what is not one of these is an `internal-error` that tells nothing.
 * @property headers that the answer carries besides, such as `allow` or `retry-after`
 */
export class EdgeProblem extends Error {
  readonly code: string
  readonly status: number
  readonly detail: string | undefined
  readonly errors: readonly FieldError[] | undefined
  readonly headers: Readonly<Record<string, string>>
  constructor(
    code: string,
    more: { status?: number; detail?: string; errors?: readonly FieldError[]; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(`${code}: ${more.detail ?? mesh.problems[code]?.title ?? 'an undeclared problem'}`, { cause: more.cause })
    this.name = 'EdgeProblem'
    this.code = code
    this.status = more.status ?? mesh.problems[code]?.status ?? 500
    this.detail = more.detail
    this.errors = more.errors
    this.headers = more.headers ?? {}
  }
}

/** @param detail what was wrong this time, with which value, and what to do: the title says only what is always so */
export const edgeProblem = (code: ProblemCode, detail: string, headers?: Record<string, string>): EdgeProblem =>
  new EdgeProblem(code, { detail, ...(headers === undefined ? {} : { headers }) })
export const invalid = (errors: readonly FieldError[]): EdgeProblem =>
  new EdgeProblem('validation-failed', { detail: errors.map(e => `${e.pointer || 'the body'} ${e.message}`).join('; '), errors })
/** @param detail what there is not; of what may be hidden it says the same as of what never was */
export const notFound = (detail: string): EdgeProblem => edgeProblem('not-found', detail)
const MAX_QUOTED = 200
/** What a client sent, as a detail may repeat it. */
export const quote = (text: string): string => (text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text)
/** Something that the edge stands on fails or is full: worth another try. @param seconds when */
export const overloaded = (detail: string, seconds: number, cause?: unknown): EdgeProblem =>
  new EdgeProblem('overloaded', { detail, headers: { 'retry-after': String(seconds) }, cause })

/** When a client may try again after an engine did not answer in time. */
const RETRY_S = 2
/** What a request waited for did not come within its time. @param what did not answer, and what that means. @throws EdgeProblem `overloaded` */
export const late = (what: string) => (): never => {
  throw overloaded(what, RETRY_S)
}

/** A view's refusal. @param statuses where a read refuses with another status than writes do */
export const refused = ({ refused, detail, errors }: Refusal, statuses: Readonly<Record<string, number>> = {}): EdgeProblem => {
  const status = statuses[refused]
  return new EdgeProblem(refused, {
    ...(status === undefined ? {} : { status }),
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined ? {} : { errors }),
  })
}
/** An actor's refusal. */
export const refusedBy = ({ status, problem }: Reply): EdgeProblem =>
  new EdgeProblem(problem?.code ?? 'internal-error', {
    status,
    ...(problem?.detail === undefined ? {} : { detail: problem.detail }),
    ...(problem?.errors === undefined ? {} : { errors: problem.errors }),
  })

/** The funnel's narrow end. @param log hears of what nobody expected */
export const problemFrom = (thrown: unknown, log: (error: unknown) => void): EdgeProblem => {
  if (thrown instanceof EdgeProblem) {
    if (thrown.cause !== undefined) log(thrown.cause)
    return thrown
  }
  log(thrown)
  return new EdgeProblem('internal-error', { detail: 'It is logged under the request’s id.' })
}

/** @param instance what went wrong: the request's path */
export const documentOf = ({ code, status, detail, errors }: EdgeProblem, instance: string): ProblemDocument => ({
  type: `/docs/problems/${code}`,
  title: mesh.problems[code]?.title ?? code,
  status,
  ...(detail === undefined ? {} : { detail }),
  instance,
  code,
  ...(errors === undefined ? {} : { errors: [...errors] }),
})

export const problemAnswer = (problem: EdgeProblem, instance: string): EdgeAnswer => ({
  status: problem.status,
  headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...problem.headers },
  body: JSON.stringify(documentOf(problem, instance)),
})
