import { commandQueue, eventQueue } from '../../../contracts/derive/topology.ts'
import { deadline } from '../ports/clock/deadline.ts'
import { missingRoute } from '../ports/events/routes.ts'
import type { Jobs } from '../ports/jobs/port.ts'
import { failMidPublish, failpoints } from '../process/failpoints.ts'
import { commandHandler, type InFlight } from './commands.ts'
import { consume } from './consume.ts'
import { eventHandler } from './events.ts'
import { type QueueHealth, recent, type WorkerContext } from './host.ts'
import { startJobs } from './jobs.ts'
export type Worker = {
  readonly health: () => {
    readonly ok: boolean
    readonly status: 'ok' | 'degraded' | 'unavailable'
    readonly queues: readonly QueueHealth[]
    /** Of its events, what is not there: it works, and some do not come. */
    readonly routes?: readonly { readonly route: string; readonly error: string }[]
    /** Of an actor with work outside. */
    readonly jobs?: ReturnType<Jobs['health']>
  }
  /** Takes nothing more and finishes what it holds, at most so many ms; what is left comes back to others once its visibility ends. */
  readonly drain: (ms?: number) => Promise<void>
}

const DRAIN_MS = 8_000

/** The worker host: one actor, its commands, its events and its work outside. */
export const startWorker = (given: WorkerContext): Worker => {
  const { code, ports, config } = given
  const failpoint = given.failpoint ?? failpoints(config.FAILPOINTS, ms => ports.clock.sleep(ms))
  const context = { ...given, ports: { ...ports, events: failMidPublish(ports.events, failpoint) } }
  const { name, commands, subscribes } = code.declaration
  const takeCommands = () =>
    consume<InFlight>(
      context,
      commandQueue(name),
      host => commandHandler(context, { ...host, published: recent() }, failpoint),
      async () => failpoint('after-receive'),
    )
  const takeEvents = () => consume(context, eventQueue(name), host => eventHandler(context, host))
  const consumers = [...(Object.keys(commands).length > 0 ? [takeCommands()] : []), ...(subscribes.length > 0 ? [takeEvents()] : [])]
  const jobQueues = code.jobs.map(queue => startJobs(queue, context))
  return {
    health: () => {
      const queues = consumers.map(c => c.health())
      const { ok: whole, error } = ports.backplane.health()
      const jobs = jobQueues.length === 0 ? undefined : ports.jobs.health()
      const ok = queues.every(q => q.ok) && jobs?.ok !== false
      const routes = (context.routes?.missing(name) ?? []).map(route => ({ route, error: missingRoute(route) }))
      const status = !ok ? 'unavailable' : routes.length > 0 || !whole ? 'degraded' : 'ok'
      const backplane = { ok: whole, error }
      return { ok, status, queues, backplane, ...(routes.length === 0 ? {} : { routes }), ...(jobs === undefined ? {} : { jobs }) }
    },
    drain: async (ms = DRAIN_MS) => {
      const drained = Promise.all([...consumers, ...jobQueues].map(c => c.drain()))
      await deadline(ports.clock, ms).race(drained, () => undefined)
      for (const c of [...consumers, ...jobQueues]) c.close()
    },
  }
}
