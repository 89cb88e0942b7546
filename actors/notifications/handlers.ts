import { notifications } from '../../contracts/notifications.ts'
import { postKey } from '../../contracts/posts.ts'
import { handlers } from '../authoring/authoring.ts'

type Between = { readonly a: string; readonly b: string; readonly by: string }
type Doing = { readonly by: string; readonly postId: string | null; readonly commentId: string | null }
type InboxEventType = 'friend.requested' | 'friend.accepted' | 'post.liked' | 'comment.added'

/** Nobody is notified of what they did themselves. */
const add = (userId: string, type: InboxEventType, doing: Doing) =>
  userId === doing.by ? [] : [{ type: 'notification.add' as const, data: { userId, type, ...doing } }]

const between = {
  toCommands: ({ type, data: { a, b, by } }: { readonly type: 'friend.requested' | 'friend.accepted'; readonly data: Between }) =>
    add(by === a ? b : a, type, { by, postId: null, commentId: null }),
}

/** Every event that concerns somebody becomes a command to their inbox, under the event's id: one that comes twice is one message. */
export const notificationHandlers = handlers(notifications, {
  'friend.requested': between,
  'friend.accepted': between,
  'post.liked': {
    toCommands: ({ type, data: { postId, by } }) => add(postKey(postId).authorId, type, { by, postId, commentId: null }),
  },
  'comment.added': {
    toCommands: ({ type, data: { comment } }) => {
      const { by, postId, commentId } = comment
      return add(postKey(postId).authorId, type, { by, postId, commentId })
    },
  },
})
