import type { Logger } from 'pino'
import type { Mesh } from '../../../contracts/derive/mesh.ts'
import type { ActorCode } from '../authoring/implement.ts'
import type { Config } from '../config/config.ts'
import type { Delivery } from '../ports/mailbox/port.ts'
import type { Reach } from '../process/failpoints.ts'
import type { Metrics } from '../process/metrics.ts'
import type { Ports } from '../process/ports.ts'
import type { RouteWatch } from '../process/route-watch.ts'
import type { Gate } from './breaker.ts'
import type { Holding } from './visibility.ts'

/** What every host of an actor is given. */
export type HostContext = {
  readonly mesh: Mesh
  readonly code: ActorCode
  readonly ports: Ports
  readonly log: Logger
  readonly metrics: Metrics
  readonly random?: () => number
}

/** What the worker, which polls by itself, is given besides. */
export type WorkerContext = HostContext & {
  readonly config: Pick<Config, 'CONCURRENCY' | 'POLLERS' | 'FAILPOINTS'>
  /** Asked for what is missing of the routes of its events. */
  readonly routes?: Pick<RouteWatch, 'missing'>
  /** Instead of the failpoints that the configuration names. */
  readonly reach?: Reach
}
export type QueueHealth = { readonly queue: string; readonly ok: boolean; readonly error: string | null; readonly held: number }
/** What settling needs of the host that it runs in: the worker, which polls by itself, or Lambda, which is handed what was polled. */
export type Host = {
  /** What is dropped or released is the host's to hold no more. */
  readonly hold: Pick<Holding, 'drop' | 'release'>
  /** Told how engines do, so that a host that polls can pause. */
  readonly engines: Pick<Gate, 'ok' | 'failed'>
  /** Whether the host's time is over: what is not finished is left to a redelivery. */
  readonly over: () => boolean
  /** Message ids whose events are known to be out. */
  readonly published: ReturnType<typeof recent>
}

/** What is done with messages once a host has them. */
export type Settling<T> = {
  /** By key, in their order, what can be read of them. */
  readonly sort: (deliveries: readonly Delivery[]) => Promise<ReadonlyMap<string, readonly T[]>>
  /** Settles messages of one key, or lets go of them; never throws. */
  readonly run: (key: string, batch: readonly T[]) => Promise<void>
}

const HINTS = 10_000

/** The newest ids, so many of them at the most. */
export const recent = (most = HINTS) => {
  const ids = new Set<string>()
  return {
    has: (id: string) => ids.has(id),
    add: (id: string) => {
      ids.add(id)
      if (ids.size > most) for (const oldest of ids) return void ids.delete(oldest)
    },
  }
}
