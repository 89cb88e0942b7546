import { z } from 'zod'
import { Time } from './declare/text.ts'
import { Notification, UnreadCount } from './notifications.ts'
import { Comment, Post } from './posts.ts'
import { Person } from './users.ts'

/** The frames of `/v1/stream` (JSON objects with an `op`), its close codes, and the events that clients hear. */

export const SUBPROTOCOL = 'dailygrind.v1'
/** For browsers, which cannot set headers: the token as a second subprotocol `bearer.<token>`. It is never echoed. */
export const BEARER_SUBPROTOCOL = 'bearer.'

/** Why the edge closes a socket. Reconnect after all but `nonsense` and `origin`; after `token` with a new token. */
export const CLOSE = {
  tooBig: 1009,
  restart: 1012,
  nonsense: 4400,
  token: 4401,
  origin: 4403,
  silent: 4408,
  budget: 4429,
} as const

// ── What clients hear of ───────────────────────────────────────────────────────────────────────────────────────────────────────

export const PostDeleted = z.object({ id: z.string(), authorId: z.string() })
export const LikeEvent = z.object({ postId: z.string(), user: Person, likeCount: z.int() })
export type LikeEvent = z.infer<typeof LikeEvent>
export const CommentEvent = z.object({ postId: z.string(), commentCount: z.int(), comment: Comment })
export type CommentEvent = z.infer<typeof CommentEvent>
export const CommentDeleted = z.object({
  postId: z.string(),
  commentCount: z.int(),
  comment: z.string().meta({ description: 'the id of the comment that is gone' }),
})
export const PersonEvent = z.object({ user: Person })
export type PersonEvent = z.infer<typeof PersonEvent>

/** Every event of the stream, with its data as the one who gets it would read it. */
export const streamEvents = {
  'post.published': Post,
  'post.edited': Post,
  'post.deleted': PostDeleted,
  'post.liked': LikeEvent,
  'post.unliked': LikeEvent,
  'comment.added': CommentEvent,
  'comment.edited': CommentEvent,
  'comment.deleted': CommentDeleted,
  'friend.requested': PersonEvent,
  'friend.accepted': PersonEvent,
  'friend.removed': PersonEvent,
  'user.updated': PersonEvent,
  'notification.created': Notification,
  'notification.read': UnreadCount,
} as const satisfies Readonly<Record<string, z.ZodType>>
export type StreamEvents = { readonly [E in keyof typeof streamEvents]: z.infer<(typeof streamEvents)[E]> }
export type StreamEventType = keyof StreamEvents

// ── Frames ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const Position = z.string().min(1).meta({ description: 'opaque; says how far this device has heard' })
const Told = { op: z.literal('event'), id: z.string(), at: Time, position: Position }

/** From the server. */
export const Hello = z
  .object({ op: z.literal('hello'), connection: z.string(), position: Position, heartbeatMs: z.int() })
  .meta({ id: 'HelloFrame', description: 'the first frame; the server pings every `heartbeatMs`' })
export const EventFrame = z.object({ ...Told, type: z.string(), data: z.unknown() }).meta({
  id: 'EventFrame',
  description:
    'something happened. Each `id` comes once, but that a resume may bring again what came shortly before it: drop what has an `id` that was heard, and put ' +
    'the rest in place by what `data` names (`data.id`, `data.postId`, `data.user.id`), never by counting events',
})
export const ReplyFrame = z
  .object({
    op: z.literal('reply'),
    id: z.string().nullable(),
    status: z.int(),
    body: z.unknown(),
    retryAfter: z.int().optional().meta({ description: 'with 429 and 503: seconds to wait before the same `id` is sent again' }),
  })
  .meta({
    id: 'ReplyFrame',
    description:
      'the answer to a `send`, as HTTP would give it; `id` is null where the frame had none. Replies are lost with their socket: what has none when the ' +
      'socket closes is sent again under the same `id`, which does it once',
  })
export const Reset = z
  .object({ op: z.literal('reset') })
  .meta({ id: 'ResetFrame', description: 'what happened since that position is not known any more: reload by HTTP; live events go on' })
export const Resumed = z.object({ op: z.literal('resumed'), replayed: z.int() }).meta({
  id: 'ResumedFrame',
  description: 'everything that changed since that position has come, `replayed` events of it; live events go on',
})
export const Drain = z
  .object({ op: z.literal('drain'), afterMs: z.int(), position: Position })
  .meta({ id: 'DrainFrame', description: 'this server goes away: reconnect after `afterMs`, then resume' })
export const Lagged = z.object({ op: z.literal('lagged'), position: Position }).meta({
  id: 'LaggedFrame',
  description: 'events passed this device by, as it reads too slowly or they could not be told here: none come until it resumes from there',
})
export const serverFrames = {
  hello: Hello,
  event: EventFrame,
  reply: ReplyFrame,
  reset: Reset,
  resumed: Resumed,
  drain: Drain,
  lagged: Lagged,
} as const
export type ServerFrame = { [O in keyof typeof serverFrames]: z.infer<(typeof serverFrames)[O]> }[keyof typeof serverFrames]

/** From the client. `data` of a `send` is the command's: path parameters and body fields together. */
export const Send = z
  .object({
    op: z.literal('send'),
    id: z.string().meta({ description: 'an idempotency key of this caller: 1 to 128 visible ASCII characters' }),
    type: z.string(),
    data: z.unknown(),
  })
  .meta({ id: 'SendFrame', description: 'what one socket says about one thing takes effect in the order in which it was said' })
export const Auth = z
  .object({ op: z.literal('auth'), token: z.string() })
  .meta({ id: 'AuthFrame', description: 'a fresh token of the same person, before the old one expires' })
export const Resume = z.object({ op: z.literal('resume'), position: Position }).meta({
  id: 'ResumeFrame',
  description:
    'answered with an event for every thing that changed since, in its latest state and as an event of its latest kind, in the order of change, then `resumed`; ' +
    'or with `reset` when that is too long ago. Things are the current posts of the caller and their friends (`post.published`, `post.edited`, `post.deleted`), ' +
    'relations (`friend.requested`, `friend.accepted`, `friend.removed`), people of the circle (`user.updated`) and notifications (`notification.created`, ' +
    '`notification.read`). Likes and comments are no things of their own: ' +
    'they show in the counts of their post, which comes as `post.published`, or `post.edited` if it ever was edited, however old its text is; a client that shows ' +
    'comments reads them again where `commentCount` differs. A position lies about ten seconds back, so that nothing on its way is lost: expect the overlap. ' +
    'What was heard live comes again under its own `id`; a post of which only the counts changed comes under an `id` of its own',
})
export const clientFrames = { send: Send, auth: Auth, resume: Resume } as const
export type ClientFrame = { [O in keyof typeof clientFrames]: z.infer<(typeof clientFrames)[O]> }[keyof typeof clientFrames]
