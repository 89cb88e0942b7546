import { z } from 'zod'
import { Time } from './text.ts'

/** Where a message comes from: the request that began it, the message or event that caused it, and the W3C trace it belongs to. */
export const Trace = z.object({ request: z.string(), cause: z.string().nullable(), traceparent: z.string().nullable() })
export type Trace = z.infer<typeof Trace>

/** Content versions that a condition names; `*`: any. */
const Versions = z.union([z.literal('*'), z.array(z.int())])

/**
 * A command on the wire (the body of an SQS message). Version 1; a worker parks what it does not know in the dead letters at once.
 * @property key the place of its state, as long as two keys of DynamoDB may be; the mailbox group is made of it: messages of one key are taken one at a
 * time, in order
 * @property claim the idempotency claim that the reply goes into
 * @property reply who waits: the edge's name, until when (epoch ms); `durable` asks for an operation row whatever happens (`respond-async`)
 */
export const Envelope = z.object({
  v: z.literal(1),
  id: z.string().min(1).max(80),
  type: z.string(),
  key: z.string().min(1).max(3_073),
  by: z.string(),
  at: Time,
  data: z.unknown(),
  ifMatch: Versions.optional(),
  ifNoneMatch: Versions.optional(),
  claim: z.string().optional(),
  reply: z.object({ to: z.string(), until: z.number(), durable: z.boolean() }).optional(),
  trace: Trace,
})
export type Envelope = z.infer<typeof Envelope>

/** An event on the wire. `id` is `<command id>.<n>`; the order of a key's events is (`version`, `n`). */
export const EventEnvelope = z.object({
  v: z.literal(1),
  id: z.string(),
  type: z.string(),
  key: z.string(),
  version: z.int(),
  n: z.int(),
  by: z.string(),
  at: Time,
  data: z.unknown(),
  trace: Trace,
})
export type EventEnvelope = z.infer<typeof EventEnvelope>

/** The final word on a command, as the edge gives it to the caller: a body, or a problem (`code`, `detail`, `errors`). */
export const Reply = z.object({
  status: z.int(),
  body: z.unknown().optional(),
  /** The content version, for the ETag. */
  version: z.int().optional(),
  /** The path of what was made, for whoever asks for the operation. */
  location: z.string().optional(),
  problem: z
    .object({
      code: z.string(),
      detail: z.string().optional(),
      errors: z.array(z.object({ pointer: z.string(), message: z.string() })).optional(),
    })
    .optional(),
})
export type Reply = z.infer<typeof Reply>
