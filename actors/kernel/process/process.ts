import { type Logger, pino } from 'pino'
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Mesh } from '../../../contracts/derive/mesh.ts'
import { type Config, environment, readConfig, silenceNodeNotice } from '../config/config.ts'
import { errorMessage } from '../ports/errors/error-message.ts'
import type { Span } from '../ports/tracing/span.ts'
import { type Health, type Operations, startOperations } from './admin-server.ts'
import { outlive } from './alive.ts'
import type { FromParent, FromProcess } from './process-messages.ts'

/** What a process of the mesh does, once started. */
type Running = {
  /** What others may know: addresses. */
  readonly info: Readonly<Record<string, string>>
  readonly health: () => Health | Promise<Health>
  /** The kept spans of a request. */
  readonly spans: (request: string) => Promise<readonly Span[]>
  /** Takes nothing new, finishes what is under way, closes everything. */
  readonly drain: () => Promise<void>
}

type ProcessContext = {
  readonly config: Config
  /** What the parent set over the environment; empty without one. */
  readonly settings: Readonly<Record<string, string>>
  readonly log: Logger
  /** What `/metrics` shows. */
  readonly registry: Registry
}

export type ProcessOptions = {
  /** Names processes and what they stand on. */
  readonly mesh: Pick<Mesh, 'name' | 'prefix' | 'title'>
  /** `posts`, for example: the process is called by the mesh's name and this. */
  readonly name: string
  readonly start: (context: ProcessContext) => Promise<Running>
  /** How long draining may take when nobody is there to say so; then the process ends with code 1. Default 30 s, 5 s without its parent. */
  readonly drainMs?: number
  /** Others need this process to drain: without its parent it outlives them, for a bounded time. */
  readonly last?: boolean
}

const ORPHANED_MS = 5_000

/**
 * Runs one process of the mesh to its end: environment -> config -> start -> operations server -> drain -> exit.
 *
 * Alone (production) SIGTERM or SIGINT drains it. With `--supervised` in its arguments it is a child of the embedded mesh: it loads while the engines start,
 * begins at the parent's word and ends at the parent's word, or by itself when the parent is gone. A terminal's Ctrl-C reaches the whole group, so such
 * a child ignores signals: otherwise the engines would go before those who still need them.
 */
export const runProcess = (options: ProcessOptions): void => {
  process.title = `${options.mesh.name} ${options.name}`
  silenceNodeNotice()
  if (process.argv.includes('--supervised')) supervised(options)
  else alone(options)
}

const alone = (options: ProcessOptions): void => {
  const life = live(options)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => life.stop(options.drainMs ?? 30_000))
  void life.begin({})
}

const supervised = (options: ProcessOptions): void => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
  let peers: readonly number[] = []
  const tell = (message: FromProcess) => void process.send?.(message, undefined, undefined, () => {})
  const life = live(options, tell)
  process.on('message', (message: FromParent) => {
    if (message.kind === 'start') void life.begin(message.environment)
    if (message.kind === 'peers') peers = message.pids
    // The parent holds the bound.
    if (message.kind === 'stop') life.stop(60_000)
  })
  const orphaned = async () => {
    if (options.last) await outlive(peers, ORPHANED_MS + 1_000)
    life.stop(options.drainMs ?? ORPHANED_MS)
  }
  process.on('disconnect', () => void orphaned())
  // The parent may have died while this file was loading.
  if (!process.connected) void orphaned()
}

const live = ({ mesh, name, start }: ProcessOptions, tell: (message: FromProcess) => void = () => {}) => {
  let log = pino({ base: { name, pid: process.pid } })
  let running: Promise<{ process: Running; operations: Operations }> | undefined
  let stopping = false

  const open = async (over: Readonly<Record<string, string>>) => {
    const config = readConfig(environment(over), mesh)
    log = pino({ base: { name, pid: process.pid }, level: config.LOG_LEVEL })
    const registry = new Registry()
    registry.setDefaultLabels({ process: name })
    // A finer event loop histogram wakes an idle process a hundred times a second.
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 })
    const work = await start({ config, settings: over, log, registry })
    const operations = await startOperations({
      title: mesh.title,
      port: config.OPERATIONS_PORT,
      host: config.HOST,
      registry,
      health: async () => (stopping ? { ok: false, status: 'draining' } : work.health()),
      spans: work.spans,
    })
    return { process: work, operations }
  }

  const fail = (error: unknown): never => {
    log.fatal({ err: error }, `${name} failed`)
    process.exit(1)
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)

  return {
    begin: async (over: Readonly<Record<string, string>>) => {
      if (stopping) return
      running = open(over)
      try {
        const { process: work, operations } = await running
        log.info({ operations: operations.url }, `${name} is ready`)
        tell({ kind: 'ready', info: { ...work.info, operations: operations.url } })
      } catch (error) {
        const message = errorMessage(error)
        log.fatal({ err: error }, `${name} cannot start: ${message}`)
        tell({ kind: 'failed', message })
        // Long enough for the message to leave; the parent ends what is left.
        setTimeout(() => process.exit(1), 100)
      }
    },
    /** Drains and ends the process: code 0, or 1 when the time was not enough. */
    stop: (withinMs: number) => {
      if (stopping) return
      stopping = true
      setTimeout(() => {
        log.error(`${name} did not drain within ${withinMs} ms`)
        process.exit(1)
      }, withinMs)
      const end = async () => {
        const all = await running?.catch(() => undefined)
        await all?.process.drain()
        await all?.operations.close()
        log.info(`${name} has stopped`)
        process.exit(0)
      }
      void end()
    },
  }
}
