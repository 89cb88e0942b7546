import { randomBytes } from 'node:crypto'
import type { Fetcher } from 'aws-jwt-verify/https'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Clock } from '../actors/kernel/clock/port.ts'
import type { Config } from '../actors/kernel/config.ts'
import { failpoints } from '../actors/kernel/failpoints.ts'
import { freePort } from '../actors/kernel/free-port.ts'
import type { Metrics } from '../actors/kernel/metrics.ts'
import type { Ports } from '../actors/kernel/ports.ts'
import { reader } from '../actors/kernel/reader.ts'
import { changesSince } from '../actors/timelines/views/changes.ts'
import { admission } from './admission.ts'
import { authenticator } from './auth.ts'
import { clientConfig } from './client-config.ts'
import { commander } from './command.ts'
import { cors, originCheck } from './cors.ts'
import { cursors } from './cursors.ts'
import { engines } from './engines.ts'
import { type EdgeHealth, health, type Phase } from './health.ts'
import { createHandler } from './http.ts'
import { claims } from './idempotency.ts'
import { messageIds } from './ids.ts'
import { tokenVerifier } from './keys.ts'
import { limits } from './limits.ts'
import { edgeMetrics, servedBy } from './metrics.ts'
import { operationIds, operations } from './operations.ts'
import { ownEndpoints } from './own.ts'
import { positions } from './positions.ts'
import { presence } from './presence.ts'
import { PRESSURE, type PressureLimits, pressure } from './pressure.ts'
import type { ViewTable } from './query.ts'
import type { Handle, Sockets } from './request.ts'
import type { Changes } from './resume.ts'
import { edgeSecret } from './seals.ts'
import { keepSeat, type Seat } from './seat.ts'
import { chooseServer, type ServerName } from './server/choose.ts'
import { createStream, type Visitor } from './stream.ts'
import { tracer } from './trace.ts'
import { viewsOf } from './views.ts'
import { waitingRoom } from './waiting.ts'

export type EdgeOptions = {
  readonly config: Config
  readonly ports: Pick<Ports, 'store' | 'mailbox' | 'backplane' | 'clock'>
  readonly log: Logger
  /** Reads by the type of their query; by default those of all actors. */
  readonly views?: ViewTable
  /** What a device that comes back is told; default: what timelines reads. */
  readonly changes?: Changes
  readonly clock?: Clock
  /** Where the edge's own metrics are kept; by default prom-client's own registry. */
  readonly registry?: Registry
  /** Counts the commands that go into mailboxes. */
  readonly metrics?: Pick<Metrics, 'sent'>
  readonly random?: () => number
  /** Fetches the pool's keys, where they are not given. */
  readonly fetcher?: Fetcher
  readonly heartbeatMs?: number
  readonly pressure?: PressureLimits
}

const HEARTBEAT_MS = 25_000
/** What it takes to tell those who prefer to wait longer where to ask. */
const RELEASE_MS = 1_000
const LOOK_MS = 20

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

/**
 * Builds an edge and takes its place on the backplane.
 * @throws an error when the user pool is not configured, a query has no view, or `EDGE_SECRET` is missing in production
 */
export const createEdge = async (options: EdgeOptions): Promise<EdgeCore> => {
  const { config, log, ports, random = Math.random, heartbeatMs = HEARTBEAT_MS } = options
  const { backplane } = ports
  const clock = options.clock ?? ports.clock
  const secret = edgeSecret(config.EDGE_SECRET, config.NODE_ENV)
  const name = `edge-${randomBytes(6).toString('hex')}`
  const { store, mailbox } = engines(ports)
  let phase: Phase = 'starting'
  let host = `${config.HOST}:${config.PORT}`
  let serial = 0
  let seat: Seat | undefined
  const serialId = () => `${name}-${(serial++).toString(36)}`

  const verifier = tokenVerifier(config, clock, options.fetcher)
  verifier.hydrate().catch(err => log.warn({ err }, 'the keys of the user pool cannot be fetched yet; the first token tries again'))
  const auth = authenticator(verifier, clock)
  const waiting = waitingRoom(clock)
  const gauge = pressure(waiting, clock, () => backplane.health().ok, options.pressure ?? PRESSURE)
  const ids = operationIds(secret)
  const budgets = limits(config)
  const originAllowed = originCheck(config.CORS_ORIGINS, config.EMBEDDED)

  const here = presence(
    () => seat?.seat(),
    clock,
    err => log.debug({ err }, 'the backplane was not told who is here'),
  )
  const metrics = edgeMetrics(
    { sockets: here.size, oldestMs: () => clock.now() - (waiting.since() ?? clock.now()), underWay: gauge.underWay },
    options.registry,
  )
  const say = commander({
    edge: name,
    mailbox,
    backplane,
    clock,
    claims: claims(store, clock, random),
    waiting,
    operationIds: ids,
    pressure: gauge,
    reach: failpoints(config.FAILPOINTS, ms => clock.sleep(ms)),
    newId: messageIds(),
    sent: (actor, type) => options.metrics?.sent.inc({ actor, type }),
  })
  const healthOf = health({
    store: ports.store,
    mailbox: ports.mailbox,
    backplane,
    clock,
    keys: verifier.ready,
    phase: () => phase,
    log: (dependency, err) => log.warn({ err, dependency }, 'a dependency cannot be reached'),
  })
  const read = reader(store)
  const handle = createHandler({
    views: options.views ?? viewsOf(config),
    query: { reader: read, cursors: cursors(secret), now: clock.now },
    say,
    own: ownEndpoints({
      health: healthOf,
      operations: operations(ids, store, backplane, clock),
      config: clientConfig(config),
      host: () => host,
      secure: !config.EMBEDDED,
    }),
    admission: admission({ auth, limits: budgets, clock, proxies: config.PROXIES }),
    cors: cors(originAllowed),
    metrics,
    trace: tracer(backplane, clock),
    log,
    requestId: serialId,
  })
  const stream = createStream({
    say,
    auth,
    limits: budgets,
    clock,
    metrics,
    log,
    presence: here,
    positions: positions(secret),
    changes: options.changes ?? ((by, since, now) => changesSince(read, by, since, now)),
    random,
    originAllowed,
    proxies: config.PROXIES,
    heartbeatMs,
    draining: () => phase === 'draining',
    connectionId: serialId,
  })
  seat = await keepSeat(
    {
      backplane,
      clock,
      edge: name,
      log: err => log.warn({ err }, 'the backplane cannot be joined: callers that wait get a 202'),
      seated: here.announce,
    },
    { reply: waiting.settle, live: stream.deliver, missed: stream.missed },
  )
  return {
    name,
    handle,
    sockets: stream.sockets,
    health: healthOf,
    serving: at => {
      host = at
      phase = 'serving'
    },
    underWay: () => gauge.underWay() + stream.underWay(),
    leaving: () => {
      phase = 'draining'
      stream.drain()
    },
    release: waiting.release,
    close: async () => {
      stream.close()
      await seat?.leave()
    },
  }
}

export type Edge = {
  readonly url: string
  readonly streamUrl: string
  readonly port: number
  /** The library that serves. */
  readonly server: ServerName
  readonly handle: Handle
  readonly health: () => Promise<EdgeHealth>
  /** Takes nothing new, answers what is under way (for a bounded time), says goodbye to sockets, closes. */
  readonly drain: () => Promise<void>
}

const STREAM_PATH = '/v1/stream'

/** Starts an edge. @throws an error when the address is in use, or as `createEdge` does */
export const startEdge = async (options: EdgeOptions): Promise<Edge> => {
  const { config, log } = options
  const clock = options.clock ?? options.ports.clock
  const { name: library, why, listen } = await chooseServer(config.EDGE_SERVER)
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
  servedBy(library, why, options.registry)
  let drained: Promise<void> | undefined
  const drain = async () => {
    core.leaving()
    server.stop()
    const done = async (ms: number) => {
      for (const until = clock.now() + ms; server.underWay() + core.underWay() > 0 && clock.now() < until; ) await clock.sleep(LOOK_MS)
    }
    await done(config.EDGE_DRAIN_MS)
    core.release()
    await done(RELEASE_MS)
    if (server.underWay() + core.underWay() > 0) log.warn({ requests: server.underWay() }, 'closing with requests unanswered')
    await core.close()
    server.close()
  }
  return {
    url: `http://${host}`,
    streamUrl: `ws://${host}${STREAM_PATH}`,
    port: server.port,
    server: library,
    handle,
    health: core.health,
    drain: () => {
      drained ??= drain()
      return drained
    },
  }
}
