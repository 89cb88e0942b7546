import type { View } from '../../actors/kernel/authoring/implement.ts'
import type { Reader } from '../../actors/kernel/authoring/reader.ts'
import type { AnyQuery } from '../../contracts/declare/messages.ts'
import { type FieldError, isRefusal } from '../../contracts/declare/rules.ts'
import { Paging } from '../../contracts/edge.ts'
import type { Call } from '../request/call.ts'
import type { Cursors } from '../request/cursors.ts'
import { etagOf, isUnchanged } from '../request/etag.ts'
import { invalid, type Problems, quote, refusalProblem } from '../request/problems.ts'
import type { EdgeAnswer } from '../request/request.ts'
import { conform, MAX_ERRORS, pathFields, pointer } from '../request/validate.ts'

/** The parameters of a query string. @throws EdgeProblem `validation-failed` for one given twice */
const queryOf = (text: string): Record<string, string> => {
  if (text === '') return {}
  const given = [...new URLSearchParams(text)]
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [name] of given) {
    if (seen.has(name)) errors.push({ pointer: pointer([quote(name)]), message: 'is given more than once' })
    seen.add(name)
  }
  if (errors.length > 0) throw invalid(errors.slice(0, MAX_ERRORS))
  return Object.fromEntries(given)
}

const LIMIT = Paging.shape.limit
/** How many items are asked for. @throws EdgeProblem `validation-failed` */
const limitOf = (given: string | undefined): number => {
  const result = LIMIT.safeParse(given === undefined ? undefined : /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN)
  if (result.success) return result.data
  throw invalid([{ pointer: '/limit', message: 'must be a whole number from 1 to 100' }])
}

const json = (body: string, headers: Record<string, string>): EdgeAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/json', ...headers },
  body,
})
/** A browser may keep what has an ETag, but asks each time: what one may see can change at any moment. */
const REVALIDATED = 'private, no-cache'

export type QueryContext = { readonly reader: Reader; readonly cursors: Cursors; readonly now: () => number; readonly problems: Problems }

/** Answers one query of the contract with its view. */
export const queryEndpoint = (type: string, query: AnyQuery, view: View, { reader, cursors, now, problems }: QueryContext) => {
  const ids = pathFields(query.http)
  return async ({ request, caller, params }: Call): Promise<EdgeAnswer> => {
    const given = queryOf(request.query)
    const data = conform(query.data, ids, { ...given, ...params }, caller)
    const limit = query.list ? limitOf(given.limit) : 1
    const after = query.list && given.cursor !== undefined ? cursors.read(given.cursor, caller, type, data) : undefined
    const answer = await view({ by: caller, data, now: now(), limit, after }, reader)
    if (isRefusal(answer)) throw refusalProblem(problems, { ...answer, code: answer.refused }, query.statuses?.[answer.refused])
    if ('items' in answer) {
      const next = answer.next === null ? null : cursors.write(answer.next, caller, type, data)
      return json(JSON.stringify({ ...answer, next }), { 'cache-control': 'no-store' })
    }
    const body = JSON.stringify(answer.body)
    if (answer.version === undefined) return json(body, { 'cache-control': 'no-store' })
    const headers = { etag: etagOf(answer.version, answer.body, body), 'cache-control': REVALIDATED }
    return isUnchanged(request.headers, headers.etag, answer.version) ? { status: 304, headers, body: '' } : json(body, headers)
  }
}
