import type { Clock } from '../actors/kernel/ports/clock/port.ts'
import { freePort } from '../actors/kernel/process/free-port.ts'
import { createEdge, type EdgeCore, type EdgeOptions } from './core.ts'
import type { EdgeHealth } from './http/health.ts'
import { servedBy } from './metrics/metrics.ts'
import type { Handle } from './request/request.ts'
import { chooseServer, type ServerName } from './server/choose.ts'
import type { Listening } from './server/port.ts'

/** What it takes to tell those who prefer to wait longer where to ask. */
const RELEASE_TIMEOUT_MS = 1_000
const DRAIN_INTERVAL_MS = 20

export type Edge = {
  readonly url: string
  readonly streamUrl: string
  readonly port: number
  /** The library that serves. */
  readonly server: ServerName
  /** Why it is this one, for people. */
  readonly serverWhy: string
  readonly handle: Handle
  readonly health: () => Promise<EdgeHealth>
  /** Takes nothing new, answers what is under way (for a bounded time), says goodbye to sockets, closes. */
  readonly drain: () => Promise<void>
}

const STREAM_PATH = '/v1/stream'

/** Lets an edge answer what is under way, for a bounded time, and closes it. */
const drain = async (core: EdgeCore, server: Listening, clock: Clock, { config, log }: EdgeOptions): Promise<void> => {
  core.leaving()
  server.stop()
  const underWay = () => server.underWay() + core.underWay()
  const untilDone = async (ms: number) => {
    for (const until = clock.elapsed() + ms; underWay() > 0 && clock.elapsed() < until; ) await clock.sleep(DRAIN_INTERVAL_MS)
  }
  await untilDone(config.EDGE_DRAIN_MS)
  core.release()
  await untilDone(RELEASE_TIMEOUT_MS)
  if (underWay() > 0) log.warn({ requests: server.underWay() }, 'closing with requests unanswered')
  await core.close()
  server.close()
}

/** Starts an edge. @throws an error when the address is in use, or as `createEdge` does */
export const startEdge = async (options: EdgeOptions): Promise<Edge> => {
  const { config, log } = options
  const clock = options.clock ?? options.ports.clock
  const { name: library, reason, why, listen } = await chooseServer(config.EDGE_SERVER)
  const core = await createEdge(options)
  const { handle, sockets } = core
  // uWebSockets binds a port of the system's own choosing without SO_REUSEADDR: the successor of an edge that was killed with connections open could not
  // have it for a minute. So it is chosen here and asked for by number.
  const server = await listen({
    host: config.HOST,
    port: config.PORT || (await freePort(config.HOST)),
    handle,
    sockets,
    streamPath: STREAM_PATH,
  })
  const host = `${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${server.port}`
  core.serving(host)
  log.info({ server: library, why }, `the edge is served by ${library}`)
  servedBy(options.mesh.name, library, reason, options.registry)
  let drained: Promise<void> | undefined
  return {
    url: `http://${host}`,
    streamUrl: `ws://${host}${STREAM_PATH}`,
    port: server.port,
    server: library,
    serverWhy: why,
    handle,
    health: core.health,
    drain: () => {
      drained ??= drain(core, server, clock, options)
      return drained
    },
  }
}
