import { post, postKey } from '../../contracts/posts.ts'
import type { PushMessage } from '../../contracts/push.ts'
import { type Person, pairOf } from '../../contracts/users.ts'
import type { Reader } from '../kernel/authoring/reader.ts'
import { asSeenBy } from '../posts/views/as-seen-by.ts'
import { type Language, textOf, urlOf } from './delivery-policy.ts'
import type { NotificationEvent } from './notification-event.ts'

/** What some people see of an event: the one who acted, and what they wrote. */
type Seen = { readonly to: readonly string[]; readonly user: Person; readonly content?: string }

const friendsSee = async (
  read: Reader,
  type: 'friend.requested' | 'friend.accepted',
  { at, by }: NotificationEvent,
  viewers: readonly string[],
) => {
  const sights = viewers.map(viewer => asSeenBy(read, { type, at, data: { ...pairOf(by, viewer), by } }, [viewer]))
  return (await Promise.all(sights)).flat().map(({ to, data }): Seen => ({ to, user: data.user }))
}
const readersSee = async (read: Reader, { type, at, by, commentId }: NotificationEvent, postId: string, viewers: readonly string[]) => {
  if (type === 'post.liked') {
    const sights = await asSeenBy(read, { type, at, data: { postId, by } }, viewers)
    return sights.map(({ to, data }): Seen => ({ to, user: data.user }))
  }
  if (type === 'comment.added' && commentId !== null) {
    const sights = await asSeenBy(read, { type, at, data: { comment: { postId, commentId, by } } }, viewers)
    return sights.map(({ to, data: { comment } }): Seen => ({ to, user: comment.author, content: comment.content }))
  }
  if (type !== 'post.published') return []
  const sights = await asSeenBy(read, { type, at, data: { postId } }, viewers)
  return sights.map(({ to, data }): Seen => ({ to, user: data.author }))
}

/** An event as people may see it now; nobody where it does not stand any more. */
const seenBy = async (read: Reader, event: NotificationEvent, viewers: readonly string[]): Promise<readonly Seen[]> => {
  const { type, postId } = event
  if (type === 'friend.requested' || type === 'friend.accepted') return friendsSee(read, type, event, viewers)
  return postId === null ? [] : readersSee(read, event, postId, viewers)
}

/** Those of the viewers who are to be told of an event, as things stand now. */
export const whoMaySee = async (read: Reader, event: NotificationEvent, viewers: readonly string[]): Promise<readonly string[]> => {
  const others = viewers.filter(viewer => viewer !== event.by)
  return (await seenBy(read, event, others)).flatMap(({ to }) => to)
}

const MAX_EXCERPT_LENGTH = 120
const excerptOf = (text: string) => {
  const characters = [...text.replace(/\s+/g, ' ')]
  return characters.length > MAX_EXCERPT_LENGTH ? `${characters.slice(0, MAX_EXCERPT_LENGTH - 1).join('')}…` : characters.join('')
}

/** What somebody is told of an event as things stand now; undefined where it does not stand any more, or is nothing that they may see. */
export const renderNotification = async (
  read: Reader,
  event: NotificationEvent,
  to: string,
  language: Language,
): Promise<PushMessage | undefined> => {
  const { type, at, by, postId } = event
  if (to === by) return undefined
  const [[seen], about] = await Promise.all([seenBy(read, event, [to]), postId === null ? undefined : read.get(post.at(postKey(postId)))])
  if (!seen) return undefined
  const { firstName, lastName } = seen.user
  const facts = { who: firstName, title: about?.status === 'live' ? about.title : '', excerpt: excerptOf(seen.content ?? '') }
  return { type, title: `${firstName} ${lastName}`, body: textOf(event, language, facts), url: urlOf(event), at }
}
