import type { Backplane } from '../../actors/kernel/ports/backplane/port.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { withEngineCalls, type Span } from '../../actors/kernel/ports/tracing/span.ts'
import { EdgeProblem } from '../request/problems.ts'
import type { EdgeAnswer } from '../request/request.ts'
import { stopwatch } from '../../actors/kernel/ports/clock/stopwatch.ts'

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
