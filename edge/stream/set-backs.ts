import type { Clock } from '../../actors/kernel/ports/clock/port.ts'

/** A step back of less is as good as none: it lies within the overlap of positions. */
const MIN_STEP_MS = 2_000
const SPAN_MEMORY_MS = 25 * 3_600_000
const MAX_SPANS = 100

/** A time that this host's wall clock went through twice (epoch ms). */
type Span = { readonly from: number; readonly to: number; readonly seenAt: number }

/**
 * Notices when the wall clock of this host is set back. What changes after that is stamped with times that had been before, so a position of such a time
 * does not tell what was heard. Positions of the second pass are not told from those of the first: both are answered with `reset`.
 */
export const setBacks = (clock: Clock) => {
  const read = () => ({ elapsed: clock.elapsed(), ahead: clock.now() - clock.elapsed() })
  let last = read()
  let spans: readonly Span[] = []
  const look = (): void => {
    const { elapsed, ahead } = read()
    const back = last.ahead - ahead
    if (back >= MIN_STEP_MS) {
      // It may have been set at any time since the last look.
      const span = { from: last.elapsed + ahead, to: elapsed + last.ahead, seenAt: elapsed }
      spans = [...spans, span].filter(s => elapsed - s.seenAt < SPAN_MEMORY_MS).slice(-MAX_SPANS)
    }
    // Several small steps back are one large one: only a look that counted it forgets where the clock was.
    last = { elapsed, ahead: back >= MIN_STEP_MS ? ahead : Math.max(ahead, last.ahead) }
  }
  return {
    /** To be called every now and then: what happened between two looks is told as if it had lasted from one to the other. */
    look,
    /** Whether the clock went through a time twice, or through one so shortly before. @param at epoch ms */
    twice: (at: number, marginMs: number): boolean => {
      look()
      return spans.some(({ from, to }) => at > from - marginMs && at <= to)
    },
  }
}
export type SetBacks = ReturnType<typeof setBacks>
