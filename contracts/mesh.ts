import { type AnyActor, type AnyCommand, type AnyQuery, fill, type Problem } from './declare/actor.ts'
import { posts } from './posts.ts'
import { EDGE_PROBLEMS } from './problems.ts'
import { push } from './push.ts'
import { timelines } from './timelines.ts'
import { users } from './users.ts'

/** The actors of the mesh. Everything below is derived from this list. */
export const mesh = [users, posts, timelines, push] as const satisfies readonly AnyActor[]
export type Mesh = (typeof mesh)[number]
export type ActorName = Mesh['name']
export const actors: readonly AnyActor[] = [...mesh]

type KeyIn<U> = U extends unknown ? keyof U : never
type In<U, K extends PropertyKey> = U extends unknown ? (K extends keyof U ? U[K] : never) : never
type Merged<U> = { readonly [K in KeyIn<U>]: In<U, K> }
/** Every command, query and event of the mesh by its type. */
export type Commands = Merged<Mesh['commands']>
export type Queries = Merged<Mesh['queries']>
export type Events = Merged<Mesh['events']>
export type EventType = keyof Events & string

/** The message table: type -> who handles it. */
export const commands: ReadonlyMap<string, { actor: AnyActor; type: string; command: AnyCommand }> = new Map(
  actors.flatMap(actor => Object.entries(actor.commands).map(([type, command]) => [type, { actor, type, command }] as const)),
)
export const queries: ReadonlyMap<string, { actor: AnyActor; type: string; query: AnyQuery }> = new Map(
  actors.flatMap(actor => Object.entries(actor.queries).map(([type, query]) => [type, { actor, type, query }] as const)),
)

/** An HTTP route. `path` is split at `/`; a segment `{name}` is a parameter, `me` as a segment stands for the caller. */
export type Route = {
  readonly method: string
  readonly path: string
  readonly type: string
  readonly actor: AnyActor
  readonly spec: AnyCommand | AnyQuery
}
const route = (actor: AnyActor, type: string, spec: AnyCommand | AnyQuery): Route[] => {
  const [method, path] = spec.http?.split(' ') ?? []
  return method && path ? [{ method, path, type, actor, spec }] : []
}
export const routes: readonly Route[] = actors.flatMap(actor => [
  ...Object.entries(actor.commands).flatMap(([type, command]) => route(actor, type, command)),
  ...Object.entries(actor.queries).flatMap(([type, query]) => route(actor, type, query)),
])

/** Every problem code with its status and title: the pages under `/docs/problems`. */
export const problems: Readonly<Record<string, Problem>> = Object.assign({}, EDGE_PROBLEMS, ...actors.map(a => a.refusals))

/** The mailbox group of a command: the place of its state. */
export const groupOf = (command: AnyCommand, message: Parameters<AnyCommand['key']>[0]): string => {
  const key = command.key(message)
  return `${fill(command.on.pk, key)}/${fill(command.on.sk, key)}`
}

/**
 * The topology: a table an actor (and the kernel's), a FIFO mailbox and its dead letters an actor that takes commands, a topic an actor that emits,
 * an event queue and its dead letters an actor that hears, subscribed with a filter on the event's type. Names carry the deployment's prefix.
 */
export const topology = (prefix: string) => {
  const emits = actors.filter(a => Object.keys(a.events).length > 0)
  return {
    tables: [...actors.filter(a => Object.keys(a.records).length > 0).map(a => `${prefix}${a.name}`), `${prefix}kernel`],
    mailboxes: actors
      .filter(a => Object.keys(a.commands).length > 0)
      .map(a => ({ actor: a.name, queue: `${prefix}${a.name}.fifo`, dead: `${prefix}${a.name}-dead.fifo` })),
    topics: emits.map(a => ({ actor: a.name, topic: `${prefix}${a.name}` })),
    hearings: actors
      .filter(a => a.hears.length > 0)
      .map(a => ({
        actor: a.name,
        queue: `${prefix}${a.name}-events`,
        dead: `${prefix}${a.name}-events-dead`,
        subscriptions: emits
          .map(e => ({ topic: `${prefix}${e.name}`, types: a.hears.filter(type => type in e.events) }))
          .filter(s => s.types.length > 0),
      })),
  }
}
export type Topology = ReturnType<typeof topology>
