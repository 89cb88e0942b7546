import { randomBytes } from 'node:crypto'
import type { Fetcher } from 'aws-jwt-verify/https'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { ViewTable } from '../actors/kernel/authoring/implement.ts'
import { type Reader, reader } from '../actors/kernel/authoring/reader.ts'
import type { Config } from '../actors/kernel/config/config.ts'
import type { Clock } from '../actors/kernel/ports/clock/port.ts'
import type { Metrics } from '../actors/kernel/process/metrics.ts'
import type { Ports } from '../actors/kernel/process/ports.ts'
import type { RouteWatch } from '../actors/kernel/process/route-watch.ts'
import { createAccess } from './access/access.ts'
import { createCommands } from './commands/commands.ts'
import { DEFAULT_LOAD_LIMITS, type LoadLimits } from './commands/load-shedding.ts'
import { unavailable } from './commands/unavailable.ts'
import type { ClientExtras } from './http/client-config.ts'
import { originCheck } from './http/cors.ts'
import type { EdgeHealth } from './http/health.ts'
import { createHttp } from './http/http.ts'
import type { Documented } from './http/pages.ts'
import { type Lifecycle, lifecycle } from './lifecycle.ts'
import { edgeMetrics } from './metrics/metrics.ts'
import { cursors } from './request/cursors.ts'
import type { Handle, Sockets } from './request/request.ts'
import { edgeSecret } from './request/signing.ts'
import { backplaneSubscription } from './stream/backplane-subscription.ts'
import { connectionRegistry } from './stream/connections.ts'
import { positions } from './stream/positions.ts'
import type { Change } from './stream/resume.ts'
import type { Visitor } from './stream/sockets.ts'
import { createStream } from './stream/stream.ts'

/**
 * The product that an edge serves, which knows none.
 * @property views reads by the type of their query
 * @property changes what a client that comes back is told
 * @property client what its clients need to know besides
 */
type Product = Documented & {
  readonly views: ViewTable
  readonly changes: (read: Reader, by: string, since: number, now: number) => Promise<readonly Change[]>
  readonly client: ClientExtras
}

export type EdgeOptions = Product & {
  readonly config: Config
  readonly ports: Pick<Ports, 'store' | 'mailbox' | 'backplane' | 'clock'>
  readonly log: Logger
  readonly clock?: Clock
  /** Where the edge's own metrics are kept; by default prom-client's own registry. */
  readonly registry?: Registry
  /** Counts the commands that go into mailboxes. */
  readonly metrics?: Pick<Metrics, 'sent'>
  /** Asked for what is missing of the routes of events. */
  readonly routes?: Pick<RouteWatch, 'missing'>
  readonly random?: () => number
  /** Fetches the pool's keys, where they are not given. */
  readonly fetcher?: Fetcher
  readonly heartbeatMs?: number
  readonly pressure?: LoadLimits
}

const HEARTBEAT_MS = 25_000

/** An edge without a socket: what `startEdge` puts behind one, and what tests call. */
export type EdgeCore = {
  /** Its name on the backplane. */
  readonly name: string
  readonly handle: Handle
  readonly sockets: Sockets<Visitor>
  readonly health: () => Promise<EdgeHealth>
  /** Says where clients find this edge; it serves from now on. */
  readonly serving: (host: string) => void
  /** Whatever is under way, sockets' messages included. */
  readonly underWay: () => number
  /** Tells sockets and health checks that it goes away. */
  readonly leaving: () => void
  /** Those who still wait for replies get a 202 and the place to ask. */
  readonly release: () => void
  /** Closes sockets and leaves the backplane. */
  readonly close: () => Promise<void>
}

/** What all parts of one edge share. */
const edgeParts = (options: EdgeOptions) => {
  const { config, log, mesh, random = Math.random } = options
  const name = `edge-${randomBytes(6).toString('hex')}`
  const clock = options.clock ?? options.ports.clock
  const ports = { ...options.ports, clock }
  const secret = { mesh: mesh.name, secret: edgeSecret(config.EDGE_SECRET, config.NODE_ENV) }
  const access = createAccess(config, clock, options.fetcher, err =>
    log.warn({ err }, 'the keys of the user pool cannot be fetched yet; the first token tries again'),
  )
  const commands = createCommands({
    edge: name,
    config,
    ports,
    secret,
    problems: mesh.problems,
    random,
    loadLimits: options.pressure ?? DEFAULT_LOAD_LIMITS,
    metrics: options.metrics,
    onLost: err => log.warn({ err }, 'a late reply cannot be kept'),
  })
  const connections = connectionRegistry()
  const state = { sockets: connections.size, oldestMs: commands.oldestMs, underWay: commands.underWay }
  let serial = 0
  return {
    name,
    clock,
    ports,
    secret,
    access,
    commands,
    connections,
    random,
    metrics: edgeMetrics(mesh.name, state, options.registry),
    read: reader(unavailable(ports).store),
    originAllowed: originCheck(config.CORS_ORIGINS, config.EMBEDDED),
    newId: () => `${name}-${(serial++).toString(36)}`,
  }
}
type Parts = ReturnType<typeof edgeParts>

const streamOf = (options: EdgeOptions, parts: Parts, phase: Lifecycle['phase']) => {
  const { config, log, mesh, stream, changes, heartbeatMs = HEARTBEAT_MS } = options
  const { name, clock, ports, commands, read } = parts
  const subscription = backplaneSubscription(name, ports.backplane, clock, err =>
    log.warn({ err }, 'the backplane cannot be joined: callers that wait get a 202'),
  )
  const live = createStream({
    ...parts,
    mesh,
    stream,
    submit: commands.submit,
    unsettled: commands.unsettled,
    log,
    subscription,
    positions: positions(parts.secret),
    changes: (by, since, now) => changes(read, by, since, now),
    socketLimits: { perUser: config.SOCKETS_PER_USER, perAddress: config.SOCKETS_PER_ADDRESS },
    heartbeatMs,
    draining: () => phase() === 'draining',
    connectionId: parts.newId,
  })
  return { live, subscription }
}

/**
 * Builds an edge and subscribes it to the backplane.
 * @throws an error when the user pool is not configured, a query has no view, or `EDGE_SECRET` is missing in production
 */
export const createEdge = async (options: EdgeOptions): Promise<EdgeCore> => {
  const parts = edgeParts(options)
  const { commands } = parts
  const cycle = lifecycle(`${options.config.HOST}:${options.config.PORT}`)
  const { handle, health } = createHttp({
    ...options,
    ...parts,
    phase: cycle.phase,
    host: cycle.host,
    missingRoutes: () => options.routes?.missing() ?? [],
    queries: { reader: parts.read, cursors: cursors(parts.secret), now: parts.clock.now, problems: options.mesh.problems },
    submit: commands.submit,
    operations: commands.operations,
  })
  const { live, subscription } = streamOf(options, parts, cycle.phase)
  const missed = (since: number, users?: readonly string[]) => {
    if (users === undefined) commands.unsettled.missed()
    live.missed(since, users)
  }
  await subscription.join({ reply: commands.reply, live: live.deliver, missed }, live.announceAll)
  return {
    name: parts.name,
    handle,
    sockets: live.sockets,
    health,
    serving: cycle.serve,
    underWay: () => commands.underWay() + live.underWay(),
    leaving: () => {
      cycle.drain()
      live.drain()
    },
    release: commands.release,
    close: async () => {
      live.close()
      await subscription.leave()
      await commands.allKept()
    },
  }
}
