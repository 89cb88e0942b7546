import type { z } from 'zod'
import { describeIssue } from './issues.ts'
import { invalid, notFound } from './problems.ts'

/** Most errors that one answer names. */
export const MAX_ERRORS = 50

/** A JSON pointer (RFC 6901). */
export const pointer = (path: readonly PropertyKey[]) => path.map(p => `/${String(p).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** The names between braces in a command's or query's route. */
export const pathFields = (http: string | undefined): ReadonlySet<string> =>
  new Set([...(http ?? '').matchAll(/\{(\w+)\}/g)].map(m => m[1] ?? ''))

/**
 * Checks data against the contract: path parameters and fields together. `me` as a `userId` of the path stands for the caller.
 * @param ids the path's parameters: one that is text but does not fit names a thing that cannot exist, and is answered as such
 * @throws EdgeProblem `not-found`, `validation-failed`
 */
export const conform = (schema: z.ZodType, ids: ReadonlySet<string>, data: Readonly<Record<string, unknown>>, caller: string): unknown => {
  const input = ids.has('userId') && data.userId === 'me' ? { ...data, userId: caller } : data
  const result = schema.safeParse(input, { error: describeIssue })
  if (result.success) return result.data
  const { issues } = result.error
  for (const { path, message } of issues) {
    const [name] = path
    if (typeof name !== 'string' || !ids.has(name) || typeof input[name] !== 'string' || input[name] === '') continue
    throw notFound(`\`${name}\` ${message}`)
  }
  throw invalid(issues.slice(0, MAX_ERRORS).map(i => ({ pointer: pointer(i.path), message: i.message })))
}
