import type { Clock } from './port.ts'

/** When something began (epoch ms) and for how long it has been going on (ms). */
export type Timed = { readonly at: number; readonly ms: number }

/** Begins now. @returns what tells the beginning by the wall clock, and the time since by the other one */
export const stopwatch = (clock: Pick<Clock, 'now' | 'elapsed'>): (() => Timed) => {
  const at = clock.now()
  const began = clock.elapsed()
  return () => ({ at, ms: clock.elapsed() - began })
}
