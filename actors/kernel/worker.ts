import { setTimeout as wait } from 'node:timers/promises'
import type { Backplane } from './backplane/port.ts'
import type { Config } from './config.ts'
import { consume } from './consume.ts'
import { failpoints, type Reach } from './failpoints.ts'
import { type HostContext, recent } from './host.ts'
import type { Jobs } from './jobs/port.ts'
import { commandSettling, type Held } from './settle.ts'
import { eventSettling } from './settle-events.ts'
import { startWork } from './work.ts'

export type WorkerContext = HostContext & {
  readonly config: Pick<Config, 'CONCURRENCY' | 'POLLERS' | 'FAILPOINTS'>
  /** Instead of the failpoints that the configuration names. */
  readonly reach?: Reach
}
export type QueueHealth = { readonly queue: string; readonly ok: boolean; readonly error: string | null; readonly held: number }
export type Worker = {
  readonly health: () => {
    readonly ok: boolean
    /** `degraded`: it works, though the backplane does not, and callers wait or devices miss something for it. */
    readonly status: 'ok' | 'degraded' | 'unavailable'
    readonly queues: readonly QueueHealth[]
    readonly backplane: Pick<ReturnType<Backplane['health']>, 'ok' | 'error'>
    /** Of an actor with work outside. */
    readonly jobs?: ReturnType<Jobs['health']>
  }
  /** Takes nothing more and finishes what it holds, at most so many ms; what is left comes back to others once its visibility ends. */
  readonly drain: (ms?: number) => Promise<void>
}

const DRAIN_MS = 8_000

/** The worker host: one actor, its commands, its events and its work outside. */
export const startWorker = (context: WorkerContext): Worker => {
  const { code, ports, config } = context
  const reach = context.reach ?? failpoints(config.FAILPOINTS, ms => ports.clock.sleep(ms))
  const { name, commands, hears } = code.declaration
  const takeCommands = () =>
    consume<Held>(
      context,
      `${name}.fifo`,
      host => commandSettling(context, { ...host, published: recent() }, reach),
      async () => reach('after-receive'),
    )
  const hearEvents = () => consume(context, `${name}-events`, host => eventSettling(context, host))
  const consumers = [...(Object.keys(commands).length > 0 ? [takeCommands()] : []), ...(hears.length > 0 ? [hearEvents()] : [])]
  const works = (code.works ?? []).map(work => startWork(work, context))
  return {
    health: () => {
      const queues = consumers.map(c => c.health())
      const { ok: whole, error } = ports.backplane.health()
      const jobs = works.length > 0 ? ports.jobs.health() : undefined
      const ok = queues.every(q => q.ok) && (jobs?.ok ?? true)
      const status = !ok ? 'unavailable' : whole ? 'ok' : 'degraded'
      return { ok, status, queues, backplane: { ok: whole, error }, ...(jobs === undefined ? {} : { jobs }) }
    },
    drain: async (ms = DRAIN_MS) => {
      const bound = new AbortController()
      const deadline = wait(ms, undefined, { signal: bound.signal, ref: false }).catch(() => undefined)
      await Promise.race([Promise.all([...consumers, ...works].map(c => c.drain())), deadline])
      bound.abort()
      for (const c of [...consumers, ...works]) c.close()
    },
  }
}
