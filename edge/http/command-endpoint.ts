import type { Reply } from '../../contracts/declare/envelope.ts'
import type { AnyCommand } from '../../contracts/declare/messages.ts'
import type { SubmitCommand } from '../commands/command-request.ts'
import { contentOf, keyOf, readKey } from '../commands/idempotency.ts'
import { operationPath, PENDING_RETRY_SECONDS } from '../commands/operations.ts'
import { fieldsOf } from '../request/body.ts'
import type { Call } from '../request/call.ts'
import { conditionsOf, etagOf, UNCONDITIONAL } from '../request/etag.ts'
import { appliedOf, preferenceOf } from '../request/prefer.ts'
import { type Problems, problemAnswer, replyProblem } from '../request/problems.ts'
import type { EdgeAnswer } from '../request/request.ts'
import { conform, pathFields } from '../request/validate.ts'

/** Where a created thing is found: below the collection that it was posted to. */
const locate = (headers: Record<string, string>, path: string, body: unknown): void => {
  if (typeof body === 'object' && body !== null && 'id' in body && typeof body.id === 'string')
    headers.location = `${path}/${encodeURIComponent(body.id)}`
}
/** An actor's reply as an HTTP answer. */
const answerOf = ({ method, path }: Call['request'], reply: Reply, problems: Problems): EdgeAnswer => {
  const problem = replyProblem(problems, reply)
  if (problem) return problemAnswer(problem, path)
  const headers: Record<string, string> = { 'cache-control': 'no-store' }
  if (reply.body === undefined || reply.status === 204) return { status: reply.status, headers, body: '' }
  const body = JSON.stringify(reply.body)
  headers['content-type'] = 'application/json'
  if (reply.version !== undefined) headers.etag = etagOf(reply.version, reply.body, body)
  if (reply.status === 201 && method === 'POST') locate(headers, path, reply.body)
  return { status: reply.status, headers, body }
}
const accepted = (operation: string): EdgeAnswer => ({
  status: 202,
  headers: {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    location: operationPath(operation),
    'retry-after': PENDING_RETRY_SECONDS,
  },
  body: `{"id":"${operation}","status":"pending","result":null,"problem":null}`,
})

export type CommandEndpointContext = { readonly submit: SubmitCommand; readonly problems: Problems }

/** Takes one command of the contract over HTTP. */
export const commandEndpoint = (actor: string, type: string, command: AnyCommand, { submit, problems }: CommandEndpointContext) => {
  const ids = pathFields(command.http)
  const conditional = command.refuses.includes('version-mismatch')
  return async ({ request, id, caller, params, traceparent, end }: Call): Promise<EdgeAnswer> => {
    const { headers, method, path } = request
    const data = conform(command.data, ids, { ...fieldsOf(request), ...params }, caller)
    const key = readKey(headers.get('idempotency-key'))
    const preference = preferenceOf(headers.get('prefer'))
    const conditions = conditional ? conditionsOf(headers) : UNCONDITIONAL
    const result = await submit({
      type,
      actor,
      command,
      by: caller,
      data,
      conditions,
      key: key === undefined ? undefined : keyOf(caller, `${method} ${path}`, key, contentOf(data, conditions)),
      waitMs: preference.waitMs,
      end,
      request: id,
      traceparent,
    })
    const pending = 'operation' in result
    const answer = pending ? accepted(result.operation) : answerOf(request, result.reply, problems)
    const applied = pending && !result.waited ? appliedOf({ ...preference, wait: undefined }, pending) : appliedOf(preference, pending)
    if (applied !== undefined) answer.headers['preference-applied'] = applied
    if (result.replayed) answer.headers['idempotency-replayed'] = 'true'
    return answer
  }
}
