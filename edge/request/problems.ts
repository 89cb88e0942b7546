import type { Reply } from '../../contracts/declare/envelope.ts'
import type { Problem } from '../../contracts/declare/messages.ts'
import { EDGE_PROBLEMS } from '../../contracts/declare/problems.ts'
import type { FieldError } from '../../contracts/declare/rules.ts'
import type { ProblemDocument } from '../../contracts/edge.ts'
import type { EdgeAnswer } from './request.ts'

/** The codes that the edge itself refuses with. */
export type ProblemCode = keyof typeof EDGE_PROBLEMS
/** Every problem code of a mesh with its status and title. */
export type Problems = Readonly<Record<string, Problem>>

/** What is said of one occurrence of a problem. @property headers that the answer carries besides, such as `allow` or `retry-after` */
type Occurrence = {
  readonly detail?: string | undefined
  readonly errors?: readonly FieldError[] | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/** The edge says no. Whatever is thrown ends as a problem document (RFC 9457); what is not one of these is an `internal-error` that tells nothing. */
export class EdgeProblem extends Error {
  readonly code: string
  readonly title: string
  readonly status: number
  readonly detail: string | undefined
  readonly errors: readonly FieldError[] | undefined
  readonly headers: Readonly<Record<string, string>>
  constructor(code: string, { status, title }: Problem, { detail, errors, headers = {}, cause }: Occurrence = {}) {
    super(`${code}: ${detail ?? title}`, { cause })
    this.name = 'EdgeProblem'
    this.code = code
    this.title = title
    this.status = status
    this.detail = detail
    this.errors = errors
    this.headers = headers
  }
}

/** @param detail what was wrong this time, with which value, and what to do: the title says only what is always so */
export const edgeProblem = (code: ProblemCode, detail: string, headers: Readonly<Record<string, string>> = {}): EdgeProblem =>
  new EdgeProblem(code, EDGE_PROBLEMS[code], { detail, headers })
export const invalid = (errors: readonly FieldError[]): EdgeProblem =>
  new EdgeProblem('validation-failed', EDGE_PROBLEMS['validation-failed'], {
    detail: errors.map(e => `${e.pointer || 'the body'} ${e.message}`).join('; '),
    errors,
  })
/** @param detail what there is not; of what may be hidden it says the same as of what never was */
export const notFound = (detail: string): EdgeProblem => edgeProblem('not-found', detail)
const MAX_QUOTED = 200
/** What a client sent, as a detail may repeat it. */
export const quote = (text: string): string => (text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text)
/** Something that the edge stands on fails or is full: worth another try. @param seconds when */
export const overloaded = (detail: string, seconds: number, cause?: unknown): EdgeProblem =>
  new EdgeProblem('overloaded', EDGE_PROBLEMS.overloaded, { detail, headers: { 'retry-after': String(seconds) }, cause })

/** When a client may try again after an engine did not answer in time. */
const RETRY_AFTER_S = 2
/** What a request waited for did not come within its time. @param what did not answer, and what that means. @throws EdgeProblem `overloaded` */
export const late = (what: string) => (): never => {
  throw overloaded(what, RETRY_AFTER_S)
}

/** A refusal of a rule or a view. */
type Refused = { readonly code: string } & Pick<Occurrence, 'detail' | 'errors'>

/** What a problem is that nobody declared: it is ours to mend. */
const undeclared = (code: string): Problem => ({ status: 500, title: code })

/**
 * A refusal of a rule or a view, as the edge gives it to the caller.
 * @param problems those of the mesh
 * @param status where it is another one than the code has
 */
export const refusalProblem = (problems: Problems, { code, detail, errors }: Refused, status?: number): EdgeProblem => {
  const declared = problems[code] ?? undeclared(code)
  return new EdgeProblem(code, { ...declared, status: status ?? declared.status }, { detail, errors })
}
/** The refusal that a reply brings; undefined when it brings none. */
export const replyProblem = (problems: Problems, { status, problem }: Reply): EdgeProblem | undefined =>
  problem && refusalProblem(problems, problem, status)

/** The funnel's narrow end. @param log hears of what nobody expected */
export const problemFrom = (thrown: unknown, log: (error: unknown) => void): EdgeProblem => {
  if (thrown instanceof EdgeProblem) {
    if (thrown.cause !== undefined) log(thrown.cause)
    return thrown
  }
  log(thrown)
  return new EdgeProblem('internal-error', EDGE_PROBLEMS['internal-error'], { detail: 'It is logged under the request’s id.' })
}

/** @param instance what went wrong: the request's path */
export const documentOf = ({ code, title, status, detail, errors }: EdgeProblem, instance: string): ProblemDocument => ({
  type: `/docs/problems/${code}`,
  title,
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
