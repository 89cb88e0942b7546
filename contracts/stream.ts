import { z } from 'zod'
import type { StreamDeclaration } from './frames.ts'
import { Notification, UnreadCount } from './notifications.ts'
import { Comment, Post } from './posts.ts'
import { Person } from './users.ts'

/** The events that clients hear on `/v1/stream`. */

export const SUBPROTOCOL = 'dailygrind.v1'

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

/** The stream as the edge is handed it. */
export const stream = {
  subprotocol: SUBPROTOCOL,
  events: streamEvents,
  notes: {
    event: 'Its place is what `data` names: `data.id`, `data.postId`, `data.user.id`.',
    resume:
      'Things are the current posts of the caller and their friends (`post.published`, `post.edited`, `post.deleted`), relations (`friend.requested`, ' +
      '`friend.accepted`, `friend.removed`), people of the circle (`user.updated`) and notifications (`notification.created`, `notification.read`). Likes and comments are no things of their own: they show in the counts of ' +
      'their post, which comes as `post.published`, or `post.edited` if it ever was edited, however old its text is; a client that shows comments reads them ' +
      'again where `commentCount` differs. A post of which only the counts changed comes under an `id` of its own.',
  },
} as const satisfies StreamDeclaration
