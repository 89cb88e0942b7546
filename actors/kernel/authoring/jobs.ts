import type { Logger } from 'pino'
import type { Ref } from '../../../contracts/declare/records.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { JobHandler, WorkOptions } from '../ports/jobs/port.ts'
import type { Metrics } from '../process/metrics.ts'
import type { Reader } from './reader.ts'

/** A command that an actor's job sends to the actor itself, in somebody's name. A repeated id is a repeated message. */
export type JobCommand = { readonly id: string; readonly by: string; readonly type: string; readonly data: unknown }

/** What a job may use. */
export type JobContext = {
  readonly read: Reader
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
  readonly metrics: Pick<Metrics, 'refusing'>
  readonly sendCommand: (command: JobCommand) => Promise<void>
  /**
   * Sets attributes of an item that is there; nothing where it is gone. A write without a turn: cheap, overtaken by any turn, so only for what no
   * rule depends on.
   */
  readonly patchItem: (ref: Ref, values: Readonly<Record<string, unknown>>) => Promise<void>
}

/** Jobs that an actor has done outside the mesh, in the worker that hosts it. */
export type JobQueue = {
  readonly queue: string
  readonly options: WorkOptions
  /** Called once a worker; `close` lets go of what it opened, after the last job. */
  readonly open: (context: JobContext) => { readonly handle: JobHandler; readonly close: () => Promise<void> }
}
