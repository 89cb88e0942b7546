import { refuse } from '../../contracts/declare/rules.ts'
import {
  type CircleEntry,
  type Counts,
  circle,
  counts,
  type LiveUser,
  type Pair,
  type Person,
  type Profile,
  pair,
  pairOf,
  type User,
  user,
  users,
} from '../../contracts/users.ts'
import { descending, fillPage } from '../kernel/authoring/page.ts'
import { defineViews, type Reader } from '../kernel/authoring/reader.ts'

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

const relation = (viewer: string, person: string, between: Pair): Profile['relation'] => {
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

/** Those of a circle who stand so to its owner, newest first. */
const newestFirst = async (read: Reader, userId: string, as: CircleEntry['relation']) =>
  descending(
    (await circleOf(read, userId)).filter(e => e.relation === as),
    e => `${e.since}|${e.other}`,
  ).source

export const userViews = defineViews(users, {
  'user.me': async ({ by }, read) => {
    const [me, mine] = await Promise.all([read.get(user.at({ userId: by })), read.get(counts.at({ userId: by }))])
    return me.status === 'live' ? { body: profileOf(me, mine, 'self'), version: me.contentVersion } : profileRequired
  },

  'user.get': async ({ by, data: { userId } }, read) => {
    const [of, between, theirs] = await Promise.all([
      read.get(user.at({ userId })),
      read.get(pair.at(pairOf(by, userId))),
      read.get(counts.at({ userId })),
    ])
    if (of.status !== 'live' || standing(by, userId, of, between) === 'hidden') return noSuchPerson
    return { body: profileOf(of, theirs, relation(by, userId, between)), version: of.contentVersion }
  },

  'friend.list': async ({ by, data: { userId }, ...page }, read) =>
    circleOnly(await standingOf(read, by, userId)) ??
    (await fillPage(page, await newestFirst(read, userId, 'friend'), entries => peopleFor(read, by, entries, e => e.other))),

  'friend.requests': async ({ by, data: { direction }, ...page }, read) =>
    fillPage(page, await newestFirst(read, by, direction), async entries => {
      const people = await peopleFor(read, by, entries, e => e.other)
      return entries.map(({ since }, i) => (people[i] ? { user: people[i], createdAt: since } : undefined))
    }),

  // The one place that shows people who are hidden otherwise: whom one cannot see one could not unblock.
  'block.list': async ({ by, ...page }, read) =>
    fillPage(page, await newestFirst(read, by, 'blocked'), async entries => {
      const states = await read.all(entries.map(e => user.at({ userId: e.other })))
      return entries.map(({ other }, i) => (states[i]?.status === 'live' ? personOf(other, states[i]) : undefined))
    }),
})
