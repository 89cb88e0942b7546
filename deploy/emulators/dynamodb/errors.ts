import type { Refusal } from 'dynalite/db/index.js'

const SERVICE = 'com.amazonaws.dynamodb.v20120810#'

/**
 * A refusal in the service's own words, to be thrown: answered with status 400 and this body.
 * `fields` carry what the shape of the exception has besides its type, message included, because the service spells that field `message` or `Message` by exception.
 */
export function refusal(type: string, fields: Record<string, unknown>): Refusal {
  const body = { __type: type.includes('#') ? type : SERVICE + type, ...fields }
  return Object.assign(new Error(String(fields.message ?? fields.Message ?? type)), { statusCode: 400, body })
}

/** Answered with status 503: nothing can be stored, or read, at the moment. */
export function unavailable(message: string): Refusal {
  return Object.assign(refusal('ServiceUnavailable', { message }), { statusCode: 503 })
}

export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && 'statusCode' in error && 'body' in error
}

/** The exception's bare name, `ConditionalCheckFailedException`. */
export function nameOf(error: Refusal): string {
  return String(error.body.__type).split('#').pop() ?? ''
}

export function messageOf(error: Refusal): string {
  return String(error.body.message ?? error.body.Message ?? error.message)
}

export function tableNotFound(table: string): Refusal {
  return refusal('ResourceNotFoundException', { message: `Requested resource not found: Table: ${table} not found` })
}
