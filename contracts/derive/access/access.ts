import type { Who } from '../../declare/actor.ts'
import { mesh } from '../../mesh.ts'
import { statusOf } from '../openapi/responses.ts'
import type { Route } from '../routes.ts'

/**
 * Who sees what: what each role gets on each route, derived from its `who`. The documentation shows this table, and a test drives every route of a
 * running mesh as every role and compares.
 */

/** How the caller stands to the person whose thing a route is about. */
export const ROLES = {
  owner: 'the person themselves; the author of the post',
  commenter: 'a friend of the post’s author, who wrote the comment',
  friend: 'another friend',
  stranger: 'somebody signed in, nothing to the owner',
  blocked: 'the owner blocks the caller',
  blocker: 'the caller blocks the owner',
  unknown: 'somebody signed in who asks for what never existed',
  anonymous: 'no token',
} as const
export type Role = keyof typeof ROLES
export const roles: readonly Role[] = ['owner', 'commenter', 'friend', 'stranger', 'blocked', 'blocker', 'unknown', 'anonymous']

/** `ok` is any answer that the route declares; otherwise the code that the caller is refused with. Several: the standing decides. */
export type Expected = readonly ('ok' | (string & {}))[]
type Row = Readonly<Record<Exclude<Role, 'anonymous'>, Expected>>

const ok: Expected = ['ok']
const hidden: Expected = ['not-found']
const gone = { blocked: hidden, blocker: hidden, unknown: hidden } as const
const everybody: Row = { owner: ok, commenter: ok, friend: ok, stranger: ok, blocked: ok, blocker: ok, unknown: ok }
const neverGivenOut: Expected = ['validation-failed']
const nobodyElse = {
  commenter: neverGivenOut,
  friend: neverGivenOut,
  stranger: neverGivenOut,
  blocked: neverGivenOut,
  blocker: neverGivenOut,
  unknown: neverGivenOut,
}
const notYours: Expected = ['not-the-author']

/** Exhaustive: a new kind of `who` does not compile until this table says what it means. */
const TABLE: Readonly<Record<Exclude<Who, 'mesh' | 'pair'>, Row>> = {
  anyone: everybody,
  'signed-in': everybody,
  person: { ...everybody, ...gone },
  circle: { ...everybody, stranger: ['not-a-friend'], ...gone },
  reader: { ...everybody, stranger: hidden, ...gone },
  author: { ...everybody, commenter: notYours, friend: notYours, stranger: hidden, ...gone },
  'comment-author': { ...everybody, owner: notYours, friend: notYours, stranger: hidden, ...gone },
  recipient: { ...nobodyElse, owner: ok },
  'comment-or-post-author': { ...everybody, friend: notYours, stranger: hidden, ...gone },
}

/**
 * Between two people the message decides. What takes something away never tells whether there was anything: `204` for whoever is named.
 * A block of somebody who blocks the caller is taken too, or refusing it would tell.
 */
const PAIR: Readonly<Record<string, Row>> = {
  'friend.request': { ...everybody, owner: ['cannot-befriend-self'], ...gone },
  'friend.accept': {
    owner: ['no-pending-request'],
    commenter: ['no-pending-request'],
    friend: ['no-pending-request'],
    stranger: ['no-pending-request'],
    ...gone,
  },
  'friend.withdraw': everybody,
  'friend.remove': everybody,
  'user.block': { ...everybody, owner: ['cannot-block-self'], unknown: hidden },
  'user.unblock': everybody,
}

/** @throws an error for a route that the table does not know: nobody said who may use it */
export const expected = (route: Pick<Route, 'type' | 'spec'>, role: Role): Expected => {
  const { who } = route.spec
  if (role === 'anonymous') return who === 'anyone' ? ok : ['invalid-token']
  const row = who === 'pair' ? PAIR[route.type] : who === 'mesh' ? undefined : TABLE[who]
  if (row === undefined) throw new Error(`contracts/derive/access/access.ts does not say who may use ${route.type} (who: ${who})`)
  return row[role]
}

/** The statuses that `expected` stands for on a route. */
export const statuses = (route: Pick<Route, 'type' | 'spec'>, role: Role): readonly number[] =>
  expected(route, role).flatMap(code =>
    code !== 'ok' ? [statusOf(route.spec, code)] : route.spec.kind === 'query' ? [200] : Object.keys(route.spec.answer).map(Number),
  )

/** Whether a route's refusals know every code that the table gives it: otherwise the two disagree. */
export const undeclared = (route: Pick<Route, 'type' | 'spec'>): string[] =>
  roles
    .flatMap(role => expected(route, role))
    .filter(code => code !== 'ok' && code !== 'invalid-token' && !(route.spec.refuses.includes(code) && code in mesh.problems))
