import type { Logger } from 'pino'
import type { Mesh } from '../../../contracts/derive/mesh.ts'
import type { ActorCode } from '../authoring/implement.ts'
import type { Config } from '../config/config.ts'
import type { Delivery } from '../ports/mailbox/port.ts'
import type { Failpoint } from '../process/failpoints.ts'
import type { Metrics } from '../process/metrics.ts'
import type { Ports } from '../process/ports.ts'
import type { RouteWatch } from '../process/route-watch.ts'
import type { CircuitBreaker } from './breaker.ts'
import type { VisibilityHeartbeat } from './visibility.ts'

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
  readonly failpoint?: Failpoint
}
export type QueueHealth = { readonly queue: string; readonly ok: boolean; readonly error: string | null; readonly held: number }
/** What a handler needs of the host that it runs in: the worker, which polls by itself, or Lambda, which is handed what was polled. */
export type Host = {
  /** Keeps the messages invisible until the handler forgets or returns them. */
  readonly visibility: Pick<VisibilityHeartbeat, 'forget' | 'returnAfter'>
  /** Told how engines do, so that a host that polls can pause. */
  readonly breaker: Pick<CircuitBreaker, 'ok' | 'failed'>
  /** Whether the host's time is over: what is not finished is left to a redelivery. */
  readonly over: () => boolean
  /** Message ids whose events are known to be out. */
  readonly published: ReturnType<typeof recent>
}

/** What is done with messages once a host has them. */
export type MessageHandler<T> = {
  /** Reads a receive. @returns the messages that can be read, by key and in their order */
  readonly read: (deliveries: readonly Delivery[]) => Promise<ReadonlyMap<string, readonly T[]>>
  /** Handles messages of one key, or lets go of them; never throws. */
  readonly handle: (key: string, batch: readonly T[]) => Promise<void>
}

const MAX_HINTS = 10_000

/** Remembers the newest ids, `most` of them. */
export const recent = (most = MAX_HINTS) => {
  const ids = new Set<string>()
  return {
    has: (id: string) => ids.has(id),
    add: (id: string) => {
      ids.add(id)
      if (ids.size > most) for (const oldest of ids) return void ids.delete(oldest)
    },
  }
}
