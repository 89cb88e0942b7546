/** What the caller prefers (RFC 7240). `waitMs`: how long the edge waits for the actor's reply. */
export type Preference = { readonly waitMs: number; readonly async: boolean; readonly wait: number | undefined }

export const DEFAULT_WAIT_MS = 5_000
export const MAX_WAIT_S = 20
const NONE: Preference = { waitMs: DEFAULT_WAIT_MS, async: false, wait: undefined }
const ASYNC: Preference = { waitMs: 0, async: true, wait: undefined }

/** @param header `respond-async`, `wait=N` (seconds, clamped to 0..20), or both: wait that long, then respond */
export const preferenceOf = (header: string | undefined): Preference => {
  if (header === undefined) return NONE
  if (header === 'respond-async') return ASYNC
  let wait: number | undefined
  let async = false
  for (const part of header.split(',')) {
    const [name = '', value = ''] = (part.split(';')[0] ?? '').split('=').map(s => s.trim())
    if (name.toLowerCase() === 'respond-async') async = true
    const seconds = /^"?(-?\d+)"?$/.exec(value)?.[1]
    if (name.toLowerCase() === 'wait' && seconds !== undefined) wait ??= Math.max(0, Math.min(MAX_WAIT_S, Number(seconds)))
  }
  return { waitMs: wait === undefined ? (async ? 0 : DEFAULT_WAIT_MS) : wait * 1000, async, wait }
}

/** Within what time (ms) a write must be answered: who does not wait for the reply waits at least until the message is in its mailbox. */
export const answerWithinMs = ({ waitMs }: Preference): number => waitMs || DEFAULT_WAIT_MS

/** The `Preference-Applied` header. @param pending the answer is a 202 */
export const appliedOf = ({ async, wait }: Preference, pending: boolean): string | undefined => {
  if (wait === undefined) return async && pending ? 'respond-async' : undefined
  return async && pending ? `respond-async, wait=${wait}` : `wait=${wait}`
}
