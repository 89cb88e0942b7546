import { errors } from 'undici'

/**
 * What went wrong between us and an engine, in the words that the SDK's retry strategy goes by: a `TimeoutError` is tried again, an `AbortError` never.
 */
const named = (name: 'TimeoutError' | 'AbortError', message: string, cause: unknown): Error => {
  const error = new Error(message, { cause })
  error.name = name
  return error
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '')

/** Ours to mend: asking again would be answered alike. */
const OURS = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
])
const CONNECTION = /^(UND_ERR_|ECONN|EPIPE$|ETIMEDOUT$)/

/**
 * An error of undici's as the SDK understands it. Without this a reset, or a connection closed in the middle of an answer, would not be tried again.
 * Others, such as a name that does not resolve, the SDK knows by their codes.
 */
export const connectionFailure = (error: unknown, engine: string): unknown => {
  const code = codeOf(error)
  if (error instanceof errors.HTTPParserError) return named('TimeoutError', `what came from ${engine} is not HTTP`, error)
  if (OURS.has(code) || !CONNECTION.test(code)) return error
  return named('TimeoutError', `the connection to ${engine} failed: ${code}`, error)
}

/** @param ms the time that was given to connecting, asking and reading the whole answer */
export const tooLate = (engine: string, ms: number): Error => named('TimeoutError', `${engine} did not answer within ${ms} ms`, undefined)

export const aborted = (engine: string, reason: unknown): Error => named('AbortError', `the request to ${engine} was aborted`, reason)

/** No engine answers with HTML, or with nothing at all: it is from something in between, whatever its status says, and must not be read as an answer. */
export const notAnAnswer = (engine: string, status: number): Error =>
  named('TimeoutError', `what came with status ${status} is no answer of ${engine}`, undefined)

const THROTTLED = /Throttl|ThroughputExceeded|RequestLimitExceeded|TooManyRequests|SlowDown/

/** Whether an engine answered: a refusal such as a lost condition is an answer, throttling and what goes wrong inside an engine is none. */
export const isAnswered = (error: unknown): boolean =>
  error instanceof Error && '$fault' in error && error.$fault === 'client' && !THROTTLED.test(error.name)

/**
 * How DynamoDB, SQS and SNS call what they will never take, whoever sends it and however often. What would be taken once somebody has mended the
 * deployment (a missing right, an expired token, a queue that is not there) is not among them.
 */
const REFUSED = new Set([
  'ValidationException',
  'ValidationError',
  'SerializationException',
  'ItemCollectionSizeLimitExceededException',
  'InvalidParameter',
  'InvalidParameterException',
  'InvalidParameterValue',
  'InvalidParameterValueException',
  'ParameterValueInvalid',
  'MissingParameter',
  'InvalidAttributeName',
  'InvalidAttributeValue',
  'InvalidMessageContents',
  'InvalidBatchEntryId',
  'BatchEntryIdsNotDistinct',
  'BatchRequestTooLong',
  'EmptyBatchRequest',
  'TooManyEntriesInBatchRequest',
  'UnsupportedOperation',
])

/** Whether an engine's code says that what we sent is at fault. SQS and SNS write some codes with a prefix or a suffix. */
export const isRefusalCode = (code: string): boolean => {
  const name = code.replace(/^.*[.#]/, '')
  return REFUSED.has(name) || REFUSED.has(name.replace(/Exception$/, ''))
}
