import type { DestinationStream, Logger } from 'pino'
import type { Steps } from './steps.ts'

export type MeshProcess = { readonly name: string; readonly pid: number; readonly restarts: number }

/** What both ways of running the mesh start from. */
export type RunOptions = {
  /** Over the environment, for every process: ports, secrets, whatever the caller sets. */
  readonly settings: Readonly<Record<string, string>>
  readonly data: string
  readonly log: Logger
  readonly logTo: DestinationStream
  readonly progress: (text: string) => void
  /** A process came or went. */
  readonly changed: () => void
  /** Process name -> FAILPOINTS of its first incarnation. */
  readonly failpoints: Readonly<Record<string, string>>
  readonly steps: Steps
  /** Why the data directory is none any more; undefined while it is as it was. */
  readonly trouble: () => string | undefined
}

/** The library below the edge, and why it is this one. */
export type ServedBy = { readonly name: string; readonly why: string }

/** A mesh that runs, however. */
export type Running = {
  readonly url: string
  readonly stream: string
  readonly operations: string
  readonly server: ServedBy
  /** Where the engines are, as environment variables. */
  readonly engines: Readonly<Record<string, string>>
  readonly processes: () => readonly MeshProcess[]
  /** Edge first, then the messages under way, the actors, the engines; within about ten seconds. */
  readonly stop: () => Promise<void>
  /** At once, whatever is lost. */
  readonly kill: () => void
}

/** How long each part may take to stop, in ms; together about the ten seconds that a person waits. */
export const STOPPING = { edge: 4_000, messages: 2_000, actors: 2_500, engines: 1_500 } as const
/** How much of its time the edge waits for replies; the rest is for telling those who got none, and for its sockets. */
export const REPLIES_MS = STOPPING.edge - 1_500
