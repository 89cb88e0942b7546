import type { Logger } from 'pino'
import type { AnyActor, Ref } from '../../contracts/actor.ts'
import { Envelope } from '../../contracts/envelope.ts'
import { groupOf } from '../../contracts/mesh.ts'
import type { Clock } from './clock/port.ts'
import { commandMessage } from './command-message.ts'
import type { HostContext } from './host.ts'
import type { JobHandler, Outcome, WorkOptions } from './jobs/port.ts'
import { commandId } from './mailbox/ids.ts'
import type { Metrics } from './metrics.ts'
import { type Reader, reader } from './reader.ts'
import { ConditionLost } from './store/port.ts'

/** A command that an actor's work sends to the actor itself, in somebody's name. A repeated id is a repeated message. */
export type WorkCommand = { readonly id: string; readonly by: string; readonly type: string; readonly data: unknown }

/** What work outside may use. */
export type WorkContext = {
  readonly read: Reader
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
  readonly metrics: Pick<Metrics, 'refusing'>
  readonly tell: (command: WorkCommand) => Promise<void>
  /**
   * Notes something on an item that is there; nothing where it is gone. A write without a turn: cheap, overtaken by any turn, so only for what no
   * rule depends on.
   */
  readonly note: (ref: Ref, values: Readonly<Record<string, unknown>>) => Promise<void>
}

/** Jobs that an actor has done outside the mesh, in the worker that hosts it. */
export type Work = {
  /** The queue of the jobs. */
  readonly queue: string
  readonly options: WorkOptions
  /** Called once a worker; `close` lets go of what it opened, after the last job. */
  readonly open: (context: WorkContext) => { readonly handle: JobHandler; readonly close: () => Promise<void> }
}

const teller =
  (actor: AnyActor, { ports, metrics }: HostContext): WorkContext['tell'] =>
  async ({ id: name, by, type, data }) => {
    const id = commandId(name)
    const command = actor.commands[type]
    if (!command) throw new TypeError(`${actor.name} tells itself ${type}, which it does not know`)
    const message = { id, by, at: new Date(ports.clock.now()).toISOString(), data: command.data.parse(data) }
    const trace = { request: id, cause: null, traceparent: null }
    const envelope = Envelope.parse({ v: 1, ...message, type, key: groupOf(command, message), trace })
    await ports.mailbox.send(`${actor.name}.fifo`, commandMessage(envelope))
    metrics.sent.inc({ actor: actor.name, type })
  }

/** What came of a job's try, as it is counted; `put-off` was none. */
const counted = (outcome: Outcome): string => {
  if (outcome === 'done') return 'done'
  if ('giveUp' in outcome) return 'given-up'
  return 'untried' in outcome ? 'put-off' : 'retry'
}

/** Starts an actor's work; what comes of each try is counted. */
export const startWork = (work: Work, host: HostContext) => {
  const { code, ports, log, metrics, random = Math.random } = host
  const { handle, close } = work.open({
    read: reader(ports.store),
    clock: ports.clock,
    random,
    log,
    metrics,
    tell: teller(code.declaration, host),
    note: async (ref, values) => {
      try {
        await ports.store.commit([{ set: ref.place, values }])
      } catch (error) {
        if (!(error instanceof ConditionLost)) throw error
      }
    },
  })
  const worker = ports.jobs.work(work.queue, work.options, async job => {
    const count = (outcome: string) => metrics.tried.inc({ queue: work.queue, outcome })
    try {
      const outcome = await handle(job)
      count(counted(outcome))
      return outcome
    } catch (err) {
      count('failed')
      log.warn({ err, queue: work.queue, job: job.id }, 'a job failed; it is tried again')
      throw err
    }
  })
  return {
    drain: async () => {
      await worker.stop()
      await close()
    },
    close: () => void close().catch(err => log.debug({ err }, 'what work had opened was not closed cleanly')),
  }
}
