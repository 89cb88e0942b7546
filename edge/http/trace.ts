import type { Backplane } from '../../actors/kernel/ports/backplane/port.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { stopwatch } from '../../actors/kernel/ports/clock/stopwatch.ts'
import { isSampled, type Span, unsampled, withEngineCalls } from '../../actors/kernel/ports/tracing/span.ts'
import { budget } from '../access/limits.ts'
import { EdgeProblem } from '../request/problems.ts'
import type { EdgeAnswer } from '../request/request.ts'

/** Keeps the edge's part of a request whose trace is sampled: where its causation tree begins. */
export const tracer =
  ({ trace }: Pick<Backplane, 'trace'>, clock: Clock) =>
  async (what: string, request: string, work: () => EdgeAnswer | Promise<EdgeAnswer>): Promise<EdgeAnswer> => {
    const timed = stopwatch(clock)
    const keep = (outcome: number, engine: Span['engine']) => {
      const span = { request, id: request, cause: null, actor: 'edge', what, ...timed(), engine, outcome: String(outcome) }
      // Losing a span costs a line of a picture, nothing else.
      trace(span).catch(() => {})
    }
    try {
      const { value, engine } = await withEngineCalls(async () => work())
      keep(value.status, engine)
      return value
    } catch (thrown) {
      keep(thrown instanceof EdgeProblem ? thrown.status : 500, [])
      throw thrown
    }
  }
export type Tracer = ReturnType<typeof tracer>

/** Traces a second, and in a burst, that are kept for one caller, and for all callers of an edge. Others go on without: nobody is refused for it. */
const CALLER_TRACES = { perSecond: 0.5, burst: 30 } as const
const EDGE_TRACES = { perSecond: 5, burst: 150 } as const
const MAX_CALLERS = 20_000

/**
 * Which of the traces that callers ask for are kept: each lies in the shared store for ten minutes, and whoever may name it could fill that.
 * @returns the traceparent to go on with, without its sampled flag once the budget is used up; `who` is the caller, or the network of one without a token
 */
export const traceBudget = (clock: Clock) => {
  const callers = budget('traces', CALLER_TRACES.perSecond, CALLER_TRACES.burst, MAX_CALLERS)
  const edge = budget('traces-edge', EDGE_TRACES.perSecond, EDGE_TRACES.burst, 1)
  return (traceparent: string | null, who: string): string | null => {
    if (traceparent === null || !isSampled(traceparent)) return traceparent
    const within = callers.draw(who, clock.now()).retryAfter === 0 && edge.draw('', clock.now()).retryAfter === 0
    return within ? traceparent : unsampled(traceparent)
  }
}
export type TraceBudget = ReturnType<typeof traceBudget>
