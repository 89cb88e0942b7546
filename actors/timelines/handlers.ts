import { postKey } from '../../contracts/posts.ts'
import { timelines } from '../../contracts/timelines.ts'
import { handlers } from '../authoring/authoring.ts'
import type { EffectContext } from '../kernel/authoring/handlers.ts'
import type { Reader } from '../kernel/authoring/reader.ts'
import { notificationOf, unreadCountOf } from '../notifications/views.ts'
import { asSeenBy, type SeenEvent, type SeenType } from '../posts/views/as-seen-by.ts'
import { friendsOf } from '../users/views.ts'
import { tellOnline } from './telling.ts'

type Audience<E extends SeenType> = (data: SeenEvent<E>['data'], read: Reader) => readonly string[] | Promise<readonly string[]>

const circleOf = async (person: string, read: Reader) => [person, ...(await friendsOf(read, person))]

/** Brings an event to the devices of those whom it concerns, as they may see it now. */
const liveTo = <E extends SeenType>(audience: Audience<E>) => ({
  effect: async (event: SeenEvent<E> & { readonly id: string }, context: EffectContext) => {
    const { read } = context
    await tellOnline(context, event, await audience(event.data, read), online => asSeenBy(read, event, online))
  },
})

const post = liveTo<'post.published' | 'post.edited' | 'post.deleted'>(({ postId }, read) => circleOf(postKey(postId).authorId, read))
const toggled = liveTo<'post.liked' | 'post.unliked'>(({ postId, by }) => [postKey(postId).authorId, by])
const commented = liveTo<'comment.added' | 'comment.edited' | 'comment.deleted'>(({ comment: { postId, by } }) => [
  postKey(postId).authorId,
  by,
])
const both = liveTo<'friend.requested' | 'friend.accepted' | 'friend.removed'>(({ a, b }) => [a, b])

export const timelineHandlers = handlers(timelines, {
  'post.published': post,
  'post.edited': post,
  'post.deleted': post,
  'post.liked': toggled,
  'post.unliked': toggled,
  'comment.added': commented,
  'comment.edited': commented,
  'comment.deleted': commented,
  'friend.requested': both,
  'friend.accepted': both,
  'friend.removed': both,
  'user.updated': liveTo<'user.updated'>(({ userId }, read) => circleOf(userId, read)),
  'notification.created': {
    effect: async (event, context) => {
      const { userId, id } = event.data
      await tellOnline(context, event, [userId], async to => {
        const data = await notificationOf(context.read, userId, id, context.clock.now())
        return data ? [{ to, data }] : []
      })
    },
  },
  'notification.read': {
    effect: async (event, context) => {
      const { userId } = event.data
      await tellOnline(context, event, [userId], async to => {
        const unreadCount = await unreadCountOf(context.read, userId, context.clock.now())
        return [{ to, data: { unreadCount } }]
      })
    },
  },
})
