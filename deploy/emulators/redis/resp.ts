/**
 * Answers in RESP2, https://redis.io/docs/latest/develop/reference/protocol-spec/.
 * All text is latin1, one character a byte, so that whatever bytes come in go out again.
 */
export type Reply = string | number | null | Status | Failure | readonly Reply[]

/** A simple string such as `OK`; a plain string is a bulk string. */
export type Status = { status: string }

/** Its first word is the kind of error: `ERR`, `WRONGTYPE`, `NOPROTO` and so on. */
export type Failure = { failure: string }

export const OK: Status = { status: 'OK' }

export function encode(reply: Reply): string {
  if (typeof reply === 'string') return `$${reply.length}\r\n${reply}\r\n`
  if (typeof reply === 'number') return `:${reply}\r\n`
  if (reply === null) return '$-1\r\n'
  if ('status' in reply) return `+${reply.status}\r\n`
  // A line break in an error would be read as the next reply.
  if ('failure' in reply) return `-${reply.failure.replaceAll(/[\r\n]/g, ' ')}\r\n`
  return `*${reply.length}\r\n${reply.map(encode).join('')}`
}
