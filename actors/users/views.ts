import { refuse } from '../../contracts/declare/rules.ts'
import {
  type CircleEntry,
  type Counts,
  circle,
  type LiveUser,
  mutedSince,
  type Pair,
  type Person,
  type Profile,
  pair,
  pairOf,
  type User,
  user,
} from '../../contracts/users.ts'
import type { Reader } from '../kernel/authoring/reader.ts'

// ── Who sees whom ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** How a viewer stands to a person. `hidden`: unknown, without a profile, erased, or blocked either way; the viewer cannot tell which. */
export type Standing = 'self' | 'friend' | 'stranger' | 'hidden'

/** The one function that decides who sees whom, for every surface. */
export const standing = (viewer: string, person: string, of: User, between: Pair): Standing => {
  if (viewer === person) return 'self'
  if (of.status !== 'live' || between.blockedBy.length > 0) return 'hidden'
  return between.status === 'friends' ? 'friend' : 'stranger'
}
/** Whether one sees what is for a person and their friends: friends list, posts and all below them. */
export const inCircle = (s: Standing): boolean => s === 'self' || s === 'friend'

/** How a viewer stands to a person, as it is stored at this moment. */
export const standingOf = async (read: Reader, viewer: string, person: string): Promise<Standing> => {
  const [of, between] = await Promise.all([read.get(user.at({ userId: person })), read.get(pair.at(pairOf(viewer, person)))])
  return standing(viewer, person, of, between)
}

export const profileRequired = refuse('profile-required', 'begin your profile with PUT /v1/users/me')
export const noSuchPerson = refuse('not-found', 'there is no such person, or you may not see them')
const friendsOnly = refuse('not-a-friend', 'become friends to see this')

/** Why a viewer does not see what is for a person and their friends; undefined for those who do. */
export const circleOnly = (s: Standing) => (s === 'hidden' ? noSuchPerson : s === 'stranger' ? friendsOnly : undefined)

// ── How a person looks ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A person in lists and references. Total: somebody without a profile has no name; lists leave them out. */
export const personOf = (userId: string, of: User): Person => ({
  id: userId,
  firstName: of.status === 'live' ? of.profile.firstName : '',
  lastName: of.status === 'live' ? of.profile.lastName : '',
  avatar: null,
})

/** Somebody who is hidden now, as they were known until a time: without a name if it may have changed since. @param at RFC 3339 */
export const personUntil = (userId: string, of: User, at: string): Person =>
  personOf(userId, of.status === 'live' && of.changedAt > at ? { status: 'none' } : of)

export const relation = (viewer: string, person: string, between: Pair): Profile['relation'] => {
  if (viewer === person) return 'self'
  if (between.status === 'friends') return 'friend'
  if (between.status === 'none') return 'none'
  return between.requestedBy === viewer ? 'outgoing' : 'incoming'
}
/** A profile as the caller sees it; the e-mail address is for its owner. */
export const profileOf = (of: LiveUser, { friends }: Counts, as: Profile['relation']): Profile => ({
  ...personOf(of.userId, of),
  ...of.profile,
  friendCount: friends,
  relation: as,
  createdAt: of.createdAt,
  ...(as === 'self' ? { email: of.email } : {}),
})

// ── Circles ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Above what the limits let a circle grow to, so that it is one request where the store's pages allow it. */
const WHOLE_CIRCLE = 5000

/** Everybody whom a person is friends with, asked, was asked by or blocks, and (`none`) who left within a day. */
export const circleOf = async (read: Reader, userId: string): Promise<readonly CircleEntry[]> => {
  const entries: CircleEntry[] = []
  for (let after: string | undefined; ; ) {
    const page = await read.range(circle, { userId }, { limit: WHOLE_CIRCLE, ...(after === undefined ? {} : { after }) })
    entries.push(...page.items.map(i => i.value))
    after = page.items.at(-1)?.at
    if (!page.more || after === undefined) return entries
  }
}
export const friendsOf = async (read: Reader, userId: string): Promise<readonly string[]> =>
  (await circleOf(read, userId)).filter(e => e.relation === 'friend').map(e => e.other)

/** The friends whose posts a person wants to see: those who are not muted. */
export const followedBy = async (read: Reader, userId: string): Promise<readonly string[]> =>
  (await circleOf(read, userId)).filter(e => e.relation === 'friend' && e.mutedAt === null).map(e => e.other)
/** Those of an author's readers who have not muted them. */
export const withoutMuters = async (read: Reader, author: string, readers: readonly string[]): Promise<readonly string[]> => {
  const pairs = await read.all(readers.map(reader => pair.at(pairOf(author, reader))))
  return readers.filter((reader, i) => mutedSince(pairs[i] ?? pair.initial, reader) === null)
}

/** The person of each item as a viewer sees them, undefined where hidden. */
export const peopleFor = async <T>(
  read: Reader,
  viewer: string,
  items: readonly T[],
  idOf: (item: T) => string,
): Promise<(Person | undefined)[]> => {
  const ids = items.map(idOf)
  const [states, pairs] = await Promise.all([
    read.all(ids.map(userId => user.at({ userId }))),
    read.all(ids.map(userId => pair.at(pairOf(viewer, userId)))),
  ])
  return ids.map((id, i) => {
    const [of, between] = [states[i], pairs[i]]
    return of?.status === 'live' && between && standing(viewer, id, of, between) !== 'hidden' ? personOf(id, of) : undefined
  })
}
