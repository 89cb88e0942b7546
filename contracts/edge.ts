import { z } from 'zod'
import { word } from './declare/text.ts'
import { Limits } from './limits.ts'

/** What the edge itself says, whatever the actors: problems, operations, the configuration of clients, health. */

/** An error (RFC 9457). `errors` point into the body (JSON pointers) or name parameters. */
export const ProblemDocument = z
  .object({
    type: z.string().meta({ description: 'a page that explains the code', examples: ['/docs/problems/not-found'] }),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    instance: z.string().optional(),
    code: z.string().meta({ description: 'stable, kebab-case' }),
    errors: z.array(z.object({ pointer: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' })
export type ProblemDocument = z.infer<typeof ProblemDocument>

/** A write whose answer did not wait: `result` is the body that the caller would have had, `problem` the refusal. */
export const Operation = z
  .object({
    id: z.string(),
    status: z.enum(['pending', 'done', 'failed']),
    result: z.unknown(),
    problem: ProblemDocument.nullable(),
  })
  .meta({ id: 'Operation' })
export type Operation = z.infer<typeof Operation>

/** What a client needs before it can sign in, all addresses absolute. */
export const ClientConfig = z
  .object({
    auth: z
      .object({
        region: z.string().meta({ description: 'the AWS region of the user pool' }),
        userPoolId: z.string().meta({ description: 'the Cognito user pool that tokens are of' }),
        clientId: z.string().meta({ description: 'the app client that tokens are of' }),
        endpoint: z.url().meta({ description: 'where the Cognito protocol is spoken' }),
      })
      .meta({ description: 'where to sign up and in' }),
    push: z
      .object({ publicKey: z.string().nullable().meta({ description: 'the VAPID key to subscribe with; null: no push is sent here' }) })
      .optional()
      .meta({ description: 'for push subscriptions' }),
    stream: z.url().meta({ description: 'the WebSocket of the live stream' }),
    limits: Limits.meta({ description: 'what a client may do how often, and hold at once' }),
  })
  .meta({ id: 'ClientConfig' })
export type ClientConfig = z.infer<typeof ClientConfig>

export const Health = z
  .object({ status: z.string(), dependencies: z.record(z.string(), z.unknown()).optional() })
  .meta({ id: 'Health', description: '`status` is `ok` or `degraded`; each dependency is named with its state' })

export const MAX_PAGE_ITEMS = 100

/** A place in a list has some 200 characters at most; sealed, a third more and the seal. */
export const MAX_CURSOR_LENGTH = 1024

/** `?limit=` and `?cursor=` of every list. */
export const Paging = z.object({
  limit: z.int().min(1).max(MAX_PAGE_ITEMS).default(20).meta({ description: 'how many items at most' }),
  cursor: word(MAX_CURSOR_LENGTH, /^[\w-]+$/, 'is no cursor', { description: 'the `next` of the page before; opaque' }).optional(),
})
