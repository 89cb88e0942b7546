import { type LivePost, post, postKey, slot } from '../../../contracts/posts.ts'
import type { StreamEvents } from '../../../contracts/stream.ts'
import { type CircleEntry, type LiveUser, pairOf, type User, user } from '../../../contracts/users.ts'
import type { Reader } from '../../kernel/authoring/reader.ts'
import { inboxChangesSince } from '../../notifications/views.ts'
import { asSeenBy, type SeenEvent, type SeenType } from '../../posts/views/as-seen-by.ts'
import { currentOf, deletedSince } from '../../posts/views.ts'
import { circleOf } from '../../users/views.ts'

/** A thing as it is now, told as an event of its latest kind; `at` is when it changed last (RFC 3339). */
export type Change = {
  [E in keyof StreamEvents]: { readonly id: string; readonly type: E; readonly at: string; readonly data: StreamEvents[E] }
}[keyof StreamEvents]

const RELATION = {
  friend: 'friend.accepted',
  incoming: 'friend.requested',
  outgoing: 'friend.requested',
  blocked: 'friend.removed',
  none: 'friend.removed',
} as const

/** What was told of a thing when it changed last: the event to look at it as, and the id that a device heard it under. */
const relationEvent = (by: string, { eventId: id, relation, changedAt: at, other }: CircleEntry) => {
  const asked = relation === 'outgoing' ? by : other
  return { id, type: RELATION[relation], at, data: { ...pairOf(by, other), by: asked } }
}
const personEvent = ({ userId, eventId: id, changedAt: at }: LiveUser) => ({ id, type: 'user.updated' as const, at, data: { userId } })
/**
 * Where a post's content changed last, it has the id of that change. Where a like or a comment came last, it shows in the counts, under an id of its own: those
 * who heard of the like itself did not hear the post.
 */
const postEvent = ({ postId, editedAt, eventId, contentEventId, changedAt: at }: LivePost) => ({
  id: eventId === contentEventId ? eventId : `${eventId}/post`,
  type: editedAt === null ? ('post.published' as const) : ('post.edited' as const),
  at,
  data: { postId },
})

/**
 * Everything that changed for a person since a time, each thing once, in its latest state, in the order of change: relations, people of the circle, the
 * current posts of the person and their friends, deleted ones included, and notifications. Nothing was written for it: things carry when they changed.
 * @param since epoch ms, not longer ago than circles remember who left them (25 h)
 */
export const changesSince = async (read: Reader, by: string, since: number, now: number): Promise<readonly Change[]> => {
  const from = new Date(since).toISOString()
  const circle = await circleOf(read, by)
  const near = circle.filter(e => e.relation === 'friend' || e.relation === 'incoming' || e.relation === 'outgoing')
  const authors = [by, ...near.filter(e => e.relation === 'friend' && e.mutedAt === null).map(e => e.other)]
  const [people, slots] = await Promise.all([
    read.all([by, ...circle.map(e => e.other)].map(userId => user.at({ userId }))),
    read.all(authors.map(authorId => slot.at({ authorId }))),
  ])
  const byId = new Map<string, User>([by, ...circle.map(e => e.other)].map((id, i) => [id, people[i] ?? { status: 'none' }]))
  const person = (id: string): User => byId.get(id) ?? { status: 'none' }

  const ids = slots.flatMap(s => currentOf(s, now)?.postId ?? [])
  const [posts, deletions] = await Promise.all([
    read.all(ids.map(id => post.at(postKey(id)))),
    Promise.all(slots.map((s, i) => deletedSince(read, authors[i] ?? '', s, since))),
  ])
  const seen = async <E extends SeenType>(event: SeenEvent<E> & { readonly id: string }) => {
    const [sight] = await asSeenBy(read, event, [by])
    return sight && { id: event.id, type: event.type, at: event.at, data: sight.data }
  }
  const gone = deletions.flatMap((list, i) =>
    list.map(({ eventId, at, postId }): Change => {
      return { id: eventId, type: 'post.deleted', at, data: { id: postId, authorId: authors[i] ?? '' } }
    }),
  )
  const [notified, ...changed] = await Promise.all([
    inboxChangesSince(read, by, from, now),
    ...circle.filter(e => e.changedAt >= from).map(e => seen(relationEvent(by, e))),
    ...[by, ...near.map(e => e.other)].flatMap(id => {
      const them = person(id)
      return them.status === 'live' && them.changedAt >= from && them.contentVersion > 1 ? [seen(personEvent(them))] : []
    }),
    ...posts.flatMap(p => (p.status === 'live' && p.changedAt >= from ? [seen(postEvent(p))] : [])),
  ])
  const changes: readonly Change[] = [...gone, ...changed.filter(c => c !== undefined), ...notified]
  return changes.toSorted((x, y) => (x.at < y.at ? -1 : x.at > y.at ? 1 : x.id < y.id ? -1 : 1))
}
