import { type LivePost, like, type PostState, pins, post, postKey, slot } from '../../../contracts/posts.ts'
import type { StreamEvents } from '../../../contracts/stream.ts'
import { type CircleEntry, type User, user } from '../../../contracts/users.ts'
import type { Reader } from '../../kernel/authoring/reader.ts'
import { currentOf, deletedSince, ownOf, postBody } from '../../posts/views.ts'
import { circleOf, peopleFor, personOf, personUntil } from '../../users/views.ts'

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

const ofRelation = ({ eventId, relation, changedAt, other }: CircleEntry, them: User, hidden: boolean): Change[] => {
  const user = hidden ? personUntil(other, them, changedAt) : personOf(other, them)
  return them.status === 'live' ? [{ id: eventId, type: RELATION[relation], at: changedAt, data: { user } }] : []
}

const ofPerson = (them: User): Change[] =>
  them.status === 'live'
    ? [{ id: them.eventId, type: 'user.updated', at: them.changedAt, data: { user: personOf(them.userId, them) } }]
    : []

/**
 * A post as it is now. Where its content changed last, it is what the event of that change told, and has its id. Where a like or a comment did, it shows in the
 * counts, under an id of its own: those who heard of the like itself did not hear the post.
 */
const ofPost = (p: LivePost, author: User, own: ReturnType<typeof ownOf>): Change => {
  const type = p.editedAt === null ? 'post.published' : 'post.edited'
  return {
    id: p.eventId === p.contentEventId ? p.eventId : `${p.eventId}/post`,
    type,
    at: p.changedAt,
    data: postBody(p, personOf(p.authorId, author), own),
  }
}

/**
 * Everything that changed for a person since a time, each thing once, in its latest state, in the order of change: relations, people of the circle, and
 * the current posts of the person and their friends, deleted ones included. Nothing was written for it: things carry when they changed.
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
  // Who left may have left by a block.
  const left = circle.filter(e => e.relation === 'none' && e.changedAt >= from)
  const [posts, likes, pinned, deletions, seen] = await Promise.all([
    read.all(ids.map(id => post.at(postKey(id)))),
    read.all(ids.map(postId => like.at({ postId, by }))),
    read.get(pins.at({ userId: by })),
    Promise.all(slots.map((s, i) => deletedSince(read, authors[i] ?? '', s, since))),
    peopleFor(read, by, left, e => e.other),
  ])
  const hidden = new Set(left.filter((_, i) => seen[i] === undefined))
  const changes: Change[] = [
    ...circle.flatMap(e => (e.changedAt >= from ? ofRelation(e, person(e.other), hidden.has(e)) : [])),
    ...[by, ...near.map(e => e.other)].flatMap(id => {
      const them = person(id)
      return them.status === 'live' && them.changedAt >= from && them.contentVersion > 1 ? ofPerson(them) : []
    }),
    ...deletions.flatMap((gone, i) =>
      gone.map(({ eventId, at, postId }): Change => {
        return { id: eventId, type: 'post.deleted', at, data: { id: postId, authorId: authors[i] ?? '' } }
      }),
    ),
    ...posts.flatMap((p: PostState, i) =>
      p.status === 'live' && p.changedAt >= from ? [ofPost(p, person(p.authorId), ownOf(p.postId, likes[i], pinned))] : [],
    ),
  ]
  return changes.sort((x, y) => (x.at < y.at ? -1 : x.at > y.at ? 1 : x.id < y.id ? -1 : 1))
}
