import type { PushAnswer } from './transport.ts'

/**
 * What an answer comes to. `taken`: the device gets it. `gone`: there is no such subscription any more. `refused`: they do not take our word for who we
 * are. `hopeless`: the same message would fail again. `busy`: later, and nothing else to them until then. `failed`: later.
 */
export type Verdict =
  | { readonly kind: 'taken' | 'gone' | 'refused' | 'hopeless' }
  | { readonly kind: 'busy' | 'failed'; readonly afterMs?: number }

const LONGEST_MS = 24 * 3_600_000

/** `Retry-After` in ms: seconds or a date (RFC 9110); undefined where it is neither. */
const asked = (retryAfter: string | undefined, now: number): { afterMs?: number } => {
  if (retryAfter === undefined) return {}
  const ms = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now
  return Number.isNaN(ms) ? {} : { afterMs: Math.min(LONGEST_MS, Math.max(0, ms)) }
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
