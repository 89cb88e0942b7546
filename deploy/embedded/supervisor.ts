import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { FromParent, FromProcess } from '../../actors/kernel/process/process-messages.ts'
import { backoff } from '../emulators/backoff.ts'

type Settings = Readonly<Record<string, string>>
export type Info = Readonly<Record<string, string>>

export type SuperviseOptions = {
  readonly name: string
  readonly script: string
  readonly execArgv: string[]
  readonly args?: readonly string[]
  /** The values over the environment that an incarnation (0 the first) begins with. Awaited after the fork, so that a process loads meanwhile. */
  readonly settings: (incarnation: number) => Promise<Settings>
  readonly log: Logger
  /** A line that the process wrote. */
  readonly line: (name: string, line: string) => void
  /** It came, went, or became ready. */
  readonly changed: () => void
}

export type Supervised = {
  readonly name: string
  readonly state: () => { readonly pid: number | undefined; readonly restarts: number; readonly ready: boolean; readonly info: Info }
  /** Its first readiness. Rejects when it says that it cannot start, or died three times before. */
  readonly ready: Promise<Info>
  /** Names the processes that it should outlive when this one is gone. */
  readonly tellPeers: (pids: readonly number[]) => void
  /** Lets it finish; kills it after `withinMs`. Resolves when it has ended, and starts it no more. */
  readonly stop: (withinMs: number) => Promise<void>
  readonly kill: () => void
}

const HOPELESS = 3

/** Keeps one process running: started again whenever it ends, until stopped. */
export const supervise = (options: SuperviseOptions): Supervised => {
  const { name, log, changed } = options
  const first = firstReadiness()
  const end = new AbortController()
  const pause = backoff()
  let child: ChildProcess | undefined
  let readyAt: number | undefined
  let info: Info = {}
  let incarnation = 0
  let everReady = false

  const heard = (message: FromProcess): void => {
    if (message.kind === 'failed') {
      first.reject(new Error(message.message))
      return
    }
    readyAt = performance.now()
    everReady = true
    info = message.info
    first.resolve(info)
    changed()
  }

  const live = async (): Promise<string> => {
    const started = fork(options.script, [...(options.args ?? []), '--supervised'], {
      execArgv: options.execArgv,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    child = started
    readyAt = undefined
    changed()
    for (const stream of [started.stdout, started.stderr]) if (stream) pass(stream, line => options.line(name, line))
    started.on('message', heard)
    const over = new Promise<string>(resolve => {
      started.once('exit', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit code ${code}`))
      // What cannot even be spawned has no exit.
      started.on('error', error => started.pid === undefined && resolve(error.message))
    })
    void options.settings(incarnation).then(
      environment => send(started, { kind: 'start', environment }),
      // What it needs will not come: the mesh is being given up.
      () => started.kill('SIGKILL'),
    )
    return over
  }

  const run = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const how = await live()
      child = undefined
      changed()
      if (end.signal.aborted) return
      const upMs = readyAt === undefined ? 0 : performance.now() - readyAt
      readyAt = undefined
      incarnation += 1
      if (!everReady && incarnation >= HOPELESS) first.reject(new Error(`${name} ended ${HOPELESS} times before it was ready (${how})`))
      const ms = pause(upMs)
      log.warn(`${name} ended (${how}); starting it again${ms === 0 ? ' at once' : ` in ${ms} ms`}`)
      await sleep(ms, undefined, { signal: end.signal }).catch(() => {})
    }
  }
  const ended = run()

  return {
    name,
    state: () => ({ pid: child?.pid, restarts: incarnation, ready: readyAt !== undefined, info }),
    ready: first.promise,
    tellPeers: pids => {
      if (child) send(child, { kind: 'peers', pids })
    },
    stop: async withinMs => {
      end.abort()
      const last = child
      if (last) {
        send(last, { kind: 'stop' })
        const overdue = setTimeout(() => {
          log.error(`${name} did not stop within ${withinMs} ms and is killed`)
          last.kill('SIGKILL')
        }, withinMs)
        await ended
        clearTimeout(overdue)
      }
      await ended
    },
    kill: () => {
      end.abort()
      child?.kill('SIGKILL')
    },
  }
}

const firstReadiness = () => {
  let resolve: (info: Info) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<Info>((yes, no) => {
    resolve = yes
    reject = no
  })
  // Whoever waits sees it; nobody does after the start.
  promise.catch(() => {})
  return { promise, resolve, reject }
}

const send = (child: ChildProcess, message: FromParent): void => {
  // It may have ended meanwhile.
  if (child.connected) child.send(message, () => {})
}

const pass = (stream: Readable, line: (text: string) => void): void => {
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', line)
}
