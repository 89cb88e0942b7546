/** Headers of requests and answers, described once and referred to by every operation. */

const header = (description: string, schema: object = { type: 'string' }) => ({ description, schema })

export const answerHeaders = {
  'X-Request-Id': header('The client’s own, if it sent a sane one; names the request in logs and traces.'),
  RateLimit: header('What is left of the budget that this request drew on (draft-ietf-httpapi-ratelimit-headers).'),
  'RateLimit-Policy': header('The budgets that apply.'),
  'Retry-After': header('Seconds to wait before trying again.', { type: 'integer', minimum: 0 }),
  ETag: header('`"<content version>.<hash of the representation>"`; give it back in If-None-Match or If-Match.'),
  Location: header('Where the new thing, or the operation, is found.', { type: 'string', format: 'uri-reference' }),
  'Operation-Status': header('The status that the write would have been answered with, of an operation that is done.', { type: 'integer' }),
  'Preference-Applied': header('What of the `Prefer` counted: `respond-async`, `wait=N` with the seconds that it came to, or both.'),
  'Idempotency-Replayed': header('`true` where the answer is that of an earlier request with the same key.', { const: 'true' }),
  'WWW-Authenticate': header(
    '`Bearer` where no token was sent, `Bearer error="invalid_token"` for one that is not good, `Bearer error="invalid_request"` for what is no token.',
  ),
} as const
export type AnswerHeader = keyof typeof answerHeaders

/** References to answer headers, those of every answer included. */
export const withHeaders = (...names: readonly AnswerHeader[]) =>
  Object.fromEntries(
    (['X-Request-Id', 'RateLimit', 'RateLimit-Policy', ...names] as const).map(name => [name, { $ref: `#/components/headers/${name}` }]),
  )

const parameter = (name: string, description: string, schema: object = { type: 'string' }) => ({
  name,
  in: 'header',
  required: false,
  description,
  schema,
})
const visibleAscii = { type: 'string', minLength: 1, maxLength: 128, pattern: '^[\\x21-\\x7e]+$' }

export const requestHeaders = {
  RequestId: parameter('X-Request-Id', 'Names the request; otherwise one is made up.', visibleAscii),
  Traceparent: parameter('traceparent', 'W3C Trace Context; the sampled flag keeps the request’s spans.', {
    type: 'string',
    pattern: '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$',
  }),
  IdempotencyKey: parameter(
    'Idempotency-Key',
    'Makes a repeat harmless for 24 h: it gets the first answer. Scoped to caller, method and path.',
    visibleAscii,
  ),
  Prefer: parameter('Prefer', '`respond-async` answers 202 at once; `wait=N` waits up to N seconds (0..20, default 5) for the answer.'),
  IfMatch: parameter(
    'If-Match',
    '`*`, or a list of ETags (RFC 9110, 13.1.1): where nothing is there, or at a content version that none of them names, the answer is 412. Weak ones name none.',
  ),
  IfNoneMatch: parameter('If-None-Match', '`*`, or the ETags already at hand; unchanged, the answer is 304 without a body.'),
  IfNoneMatchOnWrite: parameter(
    'If-None-Match',
    '`*`: only where nothing is there yet. A list of ETags: only where the content version is none of theirs. Otherwise the answer is 412.',
  ),
} as const
export type RequestHeader = keyof typeof requestHeaders

export const refer = (...names: readonly RequestHeader[]) => names.map(name => ({ $ref: `#/components/parameters/${name}` }))
