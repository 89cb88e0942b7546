import type { PushAnswer } from './transport.ts'

/**
 * What an answer comes to. `taken`: the device gets it. `gone`: there is no such subscription any more. `refused`: they do not take our word for who we
 * are. `hopeless`: the same message would fail again. `busy`: later, and nothing else to them until then. `failed`: later.
 */
export type Verdict =
  | { readonly kind: 'taken' | 'gone' | 'refused' | 'hopeless' }
  | { readonly kind: 'busy' | 'failed'; readonly afterMs?: number }

/** No message waits for longer than this. Who asks for more, milliseconds for seconds maybe, is asked again after an hour. */
const LONGEST_MS = 24 * 3_600_000
const ABSURD_MS = 3_600_000

/** `Retry-After` in ms: seconds or a date (RFC 9110); undefined where it is neither. */
const asked = (retryAfter: string | undefined, now: number): { afterMs?: number } => {
  if (retryAfter === undefined) return {}
  // A date begins with its day. `Date.parse` takes nearly anything: -5 is a day in May.
  const ms = /^\d+$/.test(retryAfter)
    ? Number(retryAfter) * 1000
    : /^[A-Z][a-z]{2}/.test(retryAfter)
      ? Date.parse(retryAfter) - now
      : Number.NaN
  return Number.isNaN(ms) ? {} : { afterMs: ms > LONGEST_MS ? ABSURD_MS : Math.max(0, ms) }
}

/** @param now epoch ms */
export const judged = ({ status, retryAfter }: PushAnswer, now: number): Verdict => {
  if (status >= 200 && status < 300) return { kind: 'taken' }
  if (status === 404 || status === 410) return { kind: 'gone' }
  if (status === 401 || status === 403) return { kind: 'refused' }
  const { afterMs } = asked(retryAfter, now)
  if (status === 429 || (status >= 500 && afterMs !== undefined)) return { kind: 'busy', ...(afterMs === undefined ? {} : { afterMs }) }
  // Redirects are not followed: they would lead past every check of the address.
  return { kind: status >= 500 || status === 408 ? 'failed' : 'hopeless' }
}
