import { type Problem, problem } from './messages.ts'

/** What the edge itself refuses with, whatever the route. The actors' refusals are declared with them. */
export const EDGE_PROBLEMS = {
  'malformed-json': problem(400, 'The body is not JSON'),
  'bad-request': problem(400, 'The request cannot be understood'),
  'invalid-token': problem(401, 'A valid token is needed'),
  forbidden: problem(403, 'You may not write here'),
  'not-found': problem(404, 'There is no such thing, or you may not see it'),
  'method-not-allowed': problem(405, 'This resource does not take this method'),
  'version-mismatch': problem(412, 'It changed since you read it'),
  'body-too-large': problem(413, 'The body is too large'),
  'upgrade-required': problem(426, 'This is a WebSocket'),
  'expectation-failed': problem(417, 'What the request expects is not met here'),
  'unsupported-media-type': problem(415, 'The body has a media type that is not taken here'),
  'validation-failed': problem(422, 'The request has invalid fields'),
  'bad-cursor': problem(422, 'The cursor is not one of this list’s'),
  'idempotency-key-reused': problem(422, 'The Idempotency-Key was used with another request'),
  'rate-limited': problem(429, 'Too many requests'),
  'internal-error': problem(500, 'Something went wrong here'),
  'not-implemented': problem(501, 'The request is coded in a way that is not understood here'),
  overloaded: problem(503, 'Too much to do at the moment'),
} as const satisfies Record<string, Problem>
