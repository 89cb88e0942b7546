import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { DestinationStream } from 'pino'
import { environment, readConfig, silenceNodeNotice } from '../../actors/kernel/config/config.ts'
import { mesh } from '../../contracts/mesh.ts'
import { reasonOf } from '../emulators/folder.ts'
import { requireFree } from '../emulators/loopback.ts'
import { type DataLock, lockData } from './lock.ts'
import { logger } from './logs.ts'
import { meshFile } from './mesh-file.ts'
import { type MeshProcess, REPLIES_MS, type Running, type ServedBy, STOPPING } from './running.ts'
import { edgeSecret } from './secret.ts'
import { within } from './stack.ts'
import { createSteps, PROCESS_MS, STEP_MS, type Steps } from './steps.ts'
import { vapidSettings } from './vapid.ts'

export type MeshOptions = {
  /** Of the API; 0 takes a free one. Default: PORT, or 3000. */
  readonly port?: number | undefined
  /** Where everything is kept; undefined keeps nothing. */
  readonly data?: string | undefined
  /** Engines, edge and each actor as processes of their own, named in `ps` and started again when one ends. */
  readonly processes?: boolean
  /** With `processes`: process name -> FAILPOINTS of its incarnations, the first, the second … separated by `;`; later ones have none. */
  readonly failpoints?: Readonly<Record<string, string>>
  /** Over the environment: LOG_LEVEL, CONCURRENCY … */
  readonly settings?: Readonly<Record<string, string>>
  /** Where log lines go. */
  readonly logTo: DestinationStream
  /** Told of each step of the start. */
  readonly progress?: (text: string) => void
  /** Bounds each step of the start, and calls it off. */
  readonly steps?: Steps
}

/** How often it is seen to that the data directory is still there. */
const LOOK_MS = 500
/** What a start that failed may take to clean up its directory: the file system may be what hangs. */
const CLEAN_MS = 2_000

export type RunningMesh = {
  readonly url: string
  readonly stream: string
  readonly operations: string
  readonly server: ServedBy
  /** The directory that holds `mesh.json`, also of a mesh that keeps nothing. */
  readonly directory: string
  /** Where the engines are, as environment variables. */
  readonly engines: Readonly<Record<string, string>>
  /** The processes that run now. */
  readonly pids: () => readonly MeshProcess[]
  /** Why what it keeps is lost; undefined while all is well. */
  readonly trouble: () => string | undefined
  /** Drains and ends everything, within about ten seconds; a second call waits for the first. */
  readonly stop: () => Promise<void>
  /** Ends all processes but this one at once. */
  readonly kill: () => void
}

/**
 * Starts the whole mesh on embedded engines, on loopback, and resolves when it can serve.
 * @throws when the port is taken, the directory cannot be used or belongs to another mesh, the environment is wrong, or a part cannot start, or not in time:
 * named in the error; nothing is left running. Interrupted, when the start is called off
 */
export const startMesh = async (options: MeshOptions): Promise<RunningMesh> => {
  const { data, processes = false, failpoints = {}, logTo, progress = () => {} } = options
  const steps = options.steps ?? createSteps({ withinMs: processes ? PROCESS_MS : STEP_MS })
  silenceNodeNotice()
  const base = {
    EMBEDDED: 'true',
    EDGE_DRAIN_MS: String(REPLIES_MS),
    WORKER_DRAIN_MS: String(STOPPING.actors),
    ...options.settings,
    ...(options.port === undefined ? {} : { PORT: String(options.port) }),
  }
  const config = readConfig(environment(base), mesh)
  const log = logger('mesh', config.LOG_LEVEL, logTo)
  if (config.PORT !== 0) await steps.take('the look at the port', () => requireFree(config.HOST, config.PORT))
  progress(`data directory: ${data ?? 'none, nothing is kept'}`)
  const { directory, lock } = await steps.takeOnDisk(
    `the data directory ${data === undefined ? tmpdir() : resolve(data)}`,
    () => openData(data, progress),
    late => late.lock.release(),
  )
  const file = meshFile(directory)
  const watching = setInterval(() => watch(), LOOK_MS).unref()
  let told: string | undefined
  const watch = (): void => {
    const why = lock.trouble()
    if (why !== undefined && why !== told) log.error(why)
    told = why
  }
  const leave = async () => {
    clearInterval(watching)
    // Another mesh may run in the one that took its place.
    if (lock.trouble() === undefined) await file.remove()
    await lock.release()
    if (data === undefined) await rm(directory, { recursive: true, force: true })
  }
  try {
    let running: Running | undefined
    const publish = async ({ url, stream, operations, engines, processes }: Running): Promise<void> => {
      if (lock.trouble() !== undefined) return
      try {
        await file.put({
          url,
          stream,
          operations,
          pid: process.pid,
          processes: [...processes()],
          config: { PREFIX: config.PREFIX, ...engines },
        })
      } catch (err) {
        log.warn({ err }, 'mesh.json could not be written')
      }
    }
    const changed = () => {
      if (running) void publish(running)
    }
    const keptIn = data === undefined ? undefined : directory
    const secrets = async () => ({
      EDGE_SECRET: config.EDGE_SECRET ?? (await edgeSecret(keptIn)),
      ...(config.VAPID_PUBLIC_KEY === undefined ? await vapidSettings(keptIn) : {}),
    })
    const settings = {
      CORS_ORIGINS: config.CORS_ORIGINS.join(',') || 'http://localhost:*',
      ...base,
      ...(await steps.takeOnDisk(`the secrets in ${directory}`, secrets)),
    }
    const run = processes ? (await import('./many-processes.ts')).runInManyProcesses : (await import('./one-process.ts')).runInOneProcess
    running = await run({ settings, data: directory, log, logTo, progress, changed, failpoints, steps, trouble: lock.trouble })
    await publish(running)
    const { url, stream, operations, server, engines, processes: pids, stop, kill } = running
    let stopped: Promise<void> | undefined
    return {
      url,
      stream,
      operations,
      server,
      directory,
      engines,
      pids,
      trouble: lock.trouble,
      stop: () => {
        stopped ??= stop().then(leave)
        return stopped
      },
      kill,
    }
  } catch (error) {
    await within(CLEAN_MS, leave()).catch(err => log.warn({ err }, `${directory} could not be cleaned up`))
    throw error
  }
}

const openData = async (data: string | undefined, progress: (text: string) => void): Promise<{ directory: string; lock: DataLock }> => {
  const directory = data === undefined ? await temporary() : resolve(data)
  return { directory, lock: await lockData(directory, () => progress('waiting for the processes of the mesh before to end')) }
}

const temporary = (): Promise<string> =>
  mkdtemp(join(tmpdir(), 'dailygrind-')).catch((error: unknown) => {
    throw new Error(`${tmpdir()}, the directory for temporary files, cannot be used: ${reasonOf(error)}. Name another one in TMPDIR`, {
      cause: error,
    })
  })
