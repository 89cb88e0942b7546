import { z } from 'zod'
import type { StreamDeclaration } from './frames.ts'
import { Comment, Post } from './posts.ts'
import { Person } from './users.ts'

/** The events that clients hear on `/v1/stream`. */

export const SUBPROTOCOL = 'dailygrind.v1'

export const PostDeleted = z.object({ id: z.string(), authorId: z.string() })
export const LikeEvent = z.object({ postId: z.string(), user: Person, likeCount: z.int() })
export const CommentEvent = z.object({ postId: z.string(), commentCount: z.int(), comment: Comment })
export const CommentDeleted = z.object({
  postId: z.string(),
  commentCount: z.int(),
  comment: z.string().meta({ description: 'the id of the comment that is gone' }),
})
export const PersonEvent = z.object({ user: Person })

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
} as const satisfies Readonly<Record<string, z.ZodType>>
export type StreamEvents = { readonly [E in keyof typeof streamEvents]: z.infer<(typeof streamEvents)[E]> }
export type StreamEventType = keyof StreamEvents

/** The stream as the edge is handed it. */
export const stream = { subprotocol: SUBPROTOCOL, events: streamEvents } as const satisfies StreamDeclaration
