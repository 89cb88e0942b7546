import type { buildApp } from 'fauxqs'

/** The emulator's HTTP application, before it listens: hooks on it see each request and answer. */
export type App = Pick<ReturnType<typeof buildApp>, 'addHook' | 'inject'>

/** Marks requests that the server makes of itself. */
export const INNER = 'x-embedded-inner'

/** A JSON object or a decoded form: what SQS and SNS requests and answers are made of. */
export type Fields = Record<string, unknown>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value)
}

/** The SQS operation a request names, `ReceiveMessage` for example; undefined for SNS and all else. */
export function sqsAction(headers: Record<string, string | string[] | undefined>): string | undefined {
  const target = headers['x-amz-target']
  return typeof target === 'string' && target.startsWith('AmazonSQS.') ? target.slice('AmazonSQS.'.length) : undefined
}
