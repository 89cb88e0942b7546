import type { Deadline } from '../../actors/kernel/ports/clock/deadline.ts'
import { isSampled } from '../../actors/kernel/ports/tracing/span.ts'
import type { Admission, Entry } from '../access/admission.ts'
import { tooLarge } from '../request/body.ts'
import { traceparentOf } from '../request/call.ts'
import { framingFault } from '../request/framing.ts'
import { edgeProblem, late, notFound, quote } from '../request/problems.ts'
import type { EdgeAnswer, EdgeRequest } from '../request/request.ts'
import type { Cors } from './cors.ts'
import type { Router } from './router.ts'
import type { Target } from './routes.ts'
import type { TraceBudget, Tracer } from './trace.ts'

/** What a method asks for, as budgets tell it. */
export type AccessKind = 'reads' | 'writes'
/** One request that is served, with what is known of it. */
export type Arrival = {
  readonly request: EdgeRequest
  readonly id: string
  readonly entry: Entry
  readonly found: ReturnType<Router<Target>['find']>
  readonly kind: AccessKind
  readonly end: Deadline
}
export type ServeOptions = {
  readonly admission: Admission
  readonly cors: Cors
  readonly trace: Tracer
  readonly traced: TraceBudget
}

const optionsAnswer = (methods: readonly string[], cors: Cors): EdgeAnswer => ({
  status: 204,
  headers: { allow: methods.join(', '), 'cache-control': 'no-store', ...cors.preflight(methods) },
  body: '',
})

/** Lets a request in and runs what its route names. @throws EdgeProblem for whatever keeps it out */
export const requestServer = ({ admission, cors, trace, traced }: ServeOptions) => {
  const callerOf = async ({ request, entry, kind, end }: Arrival, { open, free }: Target): Promise<string> => {
    if (!open) return end.race(admission.caller(entry, request, kind), late('the token could not be verified in time'))
    if (!free) admission.anonymous(entry)
    return ''
  }
  return async (arrival: Arrival): Promise<EdgeAnswer> => {
    const { request, id, entry, found, kind, end } = arrival
    const { method, path } = request
    const target = found && 'target' in found ? found.target : undefined
    if (!target?.free) admission.address(entry, kind)
    const fault = framingFault(request)
    if (fault) throw fault
    if (request.oversized) throw tooLarge()
    if (!found) throw notFound(`no route ${method} ${quote(path)}`)
    if (method === 'OPTIONS') return optionsAnswer('allow' in found ? found.allow : [], cors)
    if (!('target' in found))
      throw edgeProblem('method-not-allowed', `${quote(path)} takes ${found.allow.join(', ')}`, { allow: found.allow.join(', ') })
    const caller = await callerOf(arrival, found.target)
    const traceparent = traced(traceparentOf(request), caller || entry.network)
    const call = { request, id, caller, params: found.params, traceparent, end }
    const { run, what } = found.target
    return isSampled(traceparent) ? trace(what, id, () => run(call)) : run(call)
  }
}
