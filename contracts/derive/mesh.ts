import type { AnyActor, AnyCommand, AnyEvent, AnyQuery, Problem } from '../declare/messages.ts'
import { EDGE_PROBLEMS } from '../declare/problems.ts'
import { type Route, routesOf } from './routes.ts'
import { type Topology, topologyOf } from './topology.ts'

type CommandEntry = { readonly actor: AnyActor; readonly type: string; readonly command: AnyCommand }
type QueryEntry = { readonly actor: AnyActor; readonly type: string; readonly query: AnyQuery }
type EventEntry = { readonly actor: AnyActor; readonly type: string; readonly event: AnyEvent }

/** A thing to do, and how, in Markdown. */
export type Step = { readonly title: string; readonly text: string }

/**
 * A mesh as the kernel, the edge and the documents are handed it: its actors, and what follows from them.
 * @property name stands before the names of its processes and metrics: lower-case letters, digits and `_`
 * @property prefix stands before the names of its queues, topics and tables, where a deployment says no other
 * @property title what people call it
 * @property summary what it is, in a sentence: the documents begin with it
 * @property firstSteps what somebody who signed in does before all else
 * @property problems every problem code with its status and title: the pages under `/docs/problems`
 * @property topology the queues, topics and tables under a prefix
 */
export type Mesh<A extends readonly AnyActor[] = readonly AnyActor[]> = {
  readonly name: string
  readonly prefix: string
  readonly title: string
  readonly summary: string
  readonly firstSteps: readonly Step[]
  readonly actors: A
  readonly commands: ReadonlyMap<string, CommandEntry>
  readonly queries: ReadonlyMap<string, QueryEntry>
  readonly events: ReadonlyMap<string, EventEntry>
  readonly routes: readonly Route[]
  readonly problems: Readonly<Record<string, Problem>>
  readonly topology: (prefix: string) => Topology
}

type Named = {
  readonly name: string
  readonly title: string
  readonly summary?: string
  readonly firstSteps?: readonly Step[]
}

/**
 * Makes a mesh of its actors.
 * @throws when two actors have a name, or a message type, in common
 */
export const defineMesh = <const A extends readonly AnyActor[]>(
  { name, title, summary = '', firstSteps = [] }: Named,
  ...actors: A
): Mesh<A> => {
  const table = <T, E>(of: (actor: AnyActor) => Readonly<Record<string, T>>, entry: (actor: AnyActor, type: string, spec: T) => E) => {
    const entries = new Map<string, E>()
    for (const actor of actors)
      for (const [type, spec] of Object.entries(of(actor))) {
        if (entries.has(type)) throw new Error(`two actors declare ${type}; the second is ${actor.name}`)
        entries.set(type, entry(actor, type, spec))
      }
    return entries
  }
  if (new Set(actors.map(a => a.name)).size < actors.length) throw new Error(`two actors are called ${actors.map(a => a.name).join(', ')}`)
  return {
    name,
    prefix: `${name}-`,
    title,
    summary,
    firstSteps,
    actors,
    commands: table(
      a => a.commands,
      (actor, type, command) => ({ actor, type, command }),
    ),
    queries: table(
      a => a.queries,
      (actor, type, query) => ({ actor, type, query }),
    ),
    events: table(
      a => a.events,
      (actor, type, event) => ({ actor, type, event }),
    ),
    routes: routesOf(actors),
    problems: Object.assign({}, EDGE_PROBLEMS, ...actors.map(a => a.refusals)),
    topology: prefix => topologyOf(actors, prefix),
  }
}

type KeyIn<U> = U extends unknown ? keyof U : never
type In<U, K extends PropertyKey> = U extends unknown ? (K extends keyof U ? U[K] : never) : never
type Merged<U> = { readonly [K in KeyIn<U>]: In<U, K> }

/** Every command, query and event of a mesh by its type. */
export type CommandsOf<M extends Mesh> = Merged<M['actors'][number]['commands']>
export type QueriesOf<M extends Mesh> = Merged<M['actors'][number]['queries']>
export type EventsOf<M extends Mesh> = Merged<M['actors'][number]['events']>
