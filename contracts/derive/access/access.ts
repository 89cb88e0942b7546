import type { Standing, Who } from '../../declare/messages.ts'
import type { Mesh } from '../mesh.ts'
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
} as const satisfies Readonly<Record<Role, string>>
export type Role = Standing | 'anonymous'
export const roles: readonly Role[] = ['owner', 'commenter', 'friend', 'stranger', 'blocked', 'blocker', 'unknown', 'anonymous']

/** `ok` is any answer that the route declares; otherwise the code that the caller is refused with. Several: the standing decides. */
export type Expected = readonly ('ok' | (string & {}))[]
type Row = Readonly<Record<Standing, Expected>>

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
const notYou: Expected = ['forbidden']

/** Exhaustive: a new kind of `who` does not compile until this table says what it means. */
const TABLE: Readonly<Record<Exclude<Who, 'mesh' | 'pair'>, Row>> = {
  anyone: everybody,
  'signed-in': everybody,
  person: { ...everybody, ...gone },
  owner: { owner: ok, commenter: notYou, friend: notYou, stranger: notYou, ...gone },
  circle: { ...everybody, stranger: ['not-a-friend'], ...gone },
  reader: { ...everybody, stranger: hidden, ...gone },
  author: { ...everybody, commenter: notYours, friend: notYours, stranger: hidden, ...gone },
  'comment-author': { ...everybody, owner: notYours, friend: notYours, stranger: hidden, ...gone },
  recipient: { ...nobodyElse, owner: ok },
  'comment-or-post-author': { ...everybody, friend: notYours, stranger: hidden, ...gone },
}

/** Between two people the command says who is refused. */
const rowBetween = ({ spec, type }: Pick<Route, 'type' | 'spec'>): Row => {
  if (spec.kind !== 'command' || spec.between === undefined)
    throw new Error(`${type} is between two people and does not say who is refused`)
  const refused = Object.entries(spec.between).map(([standing, code]) => [standing, [code]] as const)
  return { ...everybody, ...Object.fromEntries(refused) }
}

/** @throws an error for a route of which nobody said who may use it */
export const expected = (route: Pick<Route, 'type' | 'spec'>, role: Role): Expected => {
  const { who } = route.spec
  if (role === 'anonymous') return who === 'anyone' ? ok : ['invalid-token']
  if (who === 'mesh') throw new Error(`${route.type} is for the mesh alone: no client may use it`)
  return (who === 'pair' ? rowBetween(route) : TABLE[who])[role]
}

/** The statuses that `expected` stands for on a route. */
export const statuses = (mesh: Mesh, route: Pick<Route, 'type' | 'spec'>, role: Role): readonly number[] =>
  expected(route, role).flatMap(code =>
    code !== 'ok' ? [statusOf(mesh, route.spec, code)] : route.spec.kind === 'query' ? [200] : Object.keys(route.spec.answer).map(Number),
  )

/** Whether a route's refusals know every code that the table gives it: otherwise the two disagree. */
export const undeclared = (mesh: Mesh, route: Pick<Route, 'type' | 'spec'>): string[] =>
  roles
    .flatMap(role => expected(route, role))
    .filter(code => code !== 'ok' && code !== 'invalid-token' && !(route.spec.refuses.includes(code) && code in mesh.problems))
