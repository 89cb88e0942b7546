import { z } from 'zod'
import { Time, UserId } from '../../contracts/declare/text.ts'

/** An event that people are told of, as a job keeps it: what, by whom, when, and the post and comment that it is about. */
export const NotificationEvent = z.object({
  type: z.enum(['friend.requested', 'friend.accepted', 'post.liked', 'comment.added', 'post.published']),
  at: Time,
  by: UserId,
  postId: z.string().nullable(),
  commentId: z.string().nullable(),
})
export type NotificationEvent = z.infer<typeof NotificationEvent>
export type NotificationEventType = NotificationEvent['type']
