import { randomBytes } from 'node:crypto'
import type { Fetcher } from 'aws-jwt-verify/https'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { actorsOf, viewsOf } from '../actors/catalog.ts'
import type { ViewTable } from '../actors/kernel/authoring/implement.ts'
import { reader } from '../actors/kernel/authoring/reader.ts'
import type { Config } from '../actors/kernel/config/config.ts'
import type { Clock } from '../actors/kernel/ports/clock/port.ts'
import { failpoints } from '../actors/kernel/process/failpoints.ts'
import { freePort } from '../actors/kernel/process/free-port.ts'
import type { Metrics } from '../actors/kernel/process/metrics.ts'
import type { Ports } from '../actors/kernel/process/ports.ts'
import type { RouteWatch } from '../actors/kernel/process/route-watch.ts'
import { changesSince } from '../actors/timelines/views/changes.ts'
import { admission } from './access/admission.ts'
import { authenticator } from './access/auth.ts'
import { tokenVerifier } from './access/keys.ts'
import { limits } from './access/limits.ts'
import { claims } from './commands/idempotency.ts'
import { replyListener } from './commands/late-replies.ts'
import { PRESSURE, type PressureLimits, pressure } from './commands/load-shedding.ts'
import { messageIds } from './commands/message-ids.ts'
import { operationIds, operations } from './commands/operations.ts'
import { waitingRoom } from './commands/reply-waiters.ts'
import { commander } from './commands/submit.ts'
import { engines } from './commands/unavailable.ts'
import { unsettled } from './commands/unsettled.ts'
import { clientConfig } from './http/client-config.ts'
import { cors, originCheck } from './http/cors.ts'
import { createHandler } from './http/handler.ts'
import { type EdgeHealth, health, type Phase } from './http/health.ts'
import { ownEndpoints } from './http/system-endpoints.ts'
import { traceBudget, tracer } from './http/trace.ts'
import { edgeMetrics, servedBy } from './metrics/metrics.ts'
import { cursors } from './request/cursors.ts'
import type { Handle, Sockets } from './request/request.ts'
import { edgeSecret } from './request/signing.ts'
import { chooseServer, type ServerName } from './server/choose.ts'
import { keepSeat, type Seat } from './stream/backplane-subscription.ts'
import { positions } from './stream/positions.ts'
import { presence } from './stream/presence.ts'
import type { Changes } from './stream/resume.ts'
import { createStream, type Visitor } from './stream/stream.ts'
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
  /** Asked for what is missing of the routes of events. */
  readonly routes?: Pick<RouteWatch, 'missing'>
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
  const heard = () => backplane.health().reachable
  const commands = unsettled(clock, heard, {
    perUser: config.UNANSWERED_WRITES_PER_USER,
    waitersPerKey: config.WAITERS_PER_KEY,
    perKey: config.UNSETTLED_COMMANDS_PER_KEY,
  })
  const gauge = pressure(commands, clock, heard, options.pressure ?? PRESSURE)
  const ids = operationIds(secret)
  const budgets = limits(config)
  const originAllowed = originCheck(config.CORS_ORIGINS, config.EMBEDDED)

  const here = presence(
    () => seat?.seat(),
    clock,
    err => log.debug({ err }, 'the backplane was not told who is here'),
    (user, since) => stream.missed(since, [user]),
  )
  const metrics = edgeMetrics(
    { sockets: here.size, oldestMs: () => clock.elapsed() - (waiting.since() ?? clock.elapsed()), underWay: gauge.underWay },
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
    missingRoutes: () => options.routes?.missing() ?? [],
    log: (dependency, err) => log.warn({ err, dependency }, 'a dependency cannot be reached'),
  })
  const read = reader(store)
  const handle = createHandler({
    views: options.views ?? viewsOf(actorsOf(config)),
    query: { reader: read, cursors: cursors(secret), now: clock.now },
    say,
    own: ownEndpoints({
      health: healthOf,
      operations: operations(ids, store, backplane, clock),
      config: clientConfig(config),
      host: () => host,
      secure: !config.EMBEDDED,
    }),
    admission: admission({ auth, limits: budgets, clock, proxies: config.PROXIES, forwardedHeader: config.FORWARDED_HEADER }),
    cors: cors(originAllowed),
    metrics,
    trace: tracer(backplane, clock),
    clock,
    traced: traceBudget(clock),
    log,
    requestId: serialId,
  })
  const stream = createStream({
    say,
    auth,
    limits: budgets,
    unsettled: commands,
    clock,
    metrics,
    log,
    presence: here,
    positions: positions(secret),
    changes: options.changes ?? ((by, since, now) => changesSince(read, by, since, now)),
    random,
    originAllowed,
    proxies: config.PROXIES,
    forwardedHeader: config.FORWARDED_HEADER,
    socketLimits: { perUser: config.SOCKETS_PER_USER, perAddress: config.SOCKETS_PER_ADDRESS },
    heartbeatMs,
    draining: () => phase === 'draining',
    connectionId: serialId,
  })
  const replies = replyListener(waiting, backplane, ports.store, clock, err => log.warn({ err }, 'a late reply cannot be kept'))
  seat = await keepSeat(
    {
      backplane,
      clock,
      edge: name,
      log: err => log.warn({ err }, 'the backplane cannot be joined: callers that wait get a 202'),
      seated: here.announce,
    },
    {
      reply: (id, reply, kept) => {
        commands.settle(id)
        replies.reply(id, reply, kept)
      },
      live: stream.deliver,
      missed: (since, users) => {
        if (users === undefined) commands.missed()
        stream.missed(since, users)
      },
    },
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
      await replies.settled()
    },
  }
}

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
  servedBy(library, reason, options.registry)
  let drained: Promise<void> | undefined
  const drain = async () => {
    core.leaving()
    server.stop()
    const done = async (ms: number) => {
      for (const until = clock.elapsed() + ms; server.underWay() + core.underWay() > 0 && clock.elapsed() < until; )
        await clock.sleep(LOOK_MS)
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
    serverWhy: why,
    handle,
    health: core.health,
    drain: () => {
      drained ??= drain()
      return drained
    },
  }
}
