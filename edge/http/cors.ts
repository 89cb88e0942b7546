import type { EdgeRequest } from '../request/request.ts'

/** Which origins browsers may come from. A pattern like `http://localhost:*` takes any port, and none. */
export const originCheck = (origins: readonly string[], embedded: boolean): ((origin: string) => boolean) => {
  const all = embedded ? [...origins, 'http://localhost:*', 'http://127.0.0.1:*'] : origins
  const exact = new Set(all.filter(o => !o.endsWith(':*')))
  const anyPort = all.filter(o => o.endsWith(':*')).map(o => o.slice(0, -2))
  return origin =>
    exact.has(origin) ||
    anyPort.some(base => origin === base || (origin.startsWith(`${base}:`) && /^\d{1,5}$/.test(origin.slice(base.length + 1))))
}

const EXPOSED = [
  'etag',
  'idempotency-replayed',
  'location',
  'operation-status',
  'preference-applied',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'www-authenticate',
  'x-request-id',
].join(', ')
const TAKEN = [
  'authorization',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'prefer',
  'traceparent',
  'x-request-id',
].join(', ')
const PREFLIGHT_S = '600'

/** What an answer says to the browser that asked (Fetch standard, CORS protocol). Nothing about credentials: the token travels in a header. */
export const cors = (allowed: (origin: string) => boolean) => ({
  /** Adds to the headers of an answer. */
  complete: (headers: Record<string, string>, request: EdgeRequest): void => {
    const origin = request.headers.get('origin')
    if (origin === undefined) return
    headers.vary = 'origin'
    if (!allowed(origin)) return
    headers['access-control-allow-origin'] = origin
    headers['access-control-expose-headers'] = EXPOSED
  },
  /** What a preflight adds. @param methods those that the path takes */
  preflight: (methods: readonly string[]): Record<string, string> => ({
    'access-control-allow-methods': methods.join(', '),
    'access-control-allow-headers': TAKEN,
    'access-control-max-age': PREFLIGHT_S,
  }),
})
export type Cors = ReturnType<typeof cors>
