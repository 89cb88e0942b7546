import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, readlink, realpath } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { isAlive, outlive } from '../../../actors/kernel/process/alive.ts'
import { freePort } from '../../../actors/kernel/process/free-port.ts'
import { anchor, lostAdvice } from '../anchors.ts'
import { backoff } from '../backoff.ts'
import { makeFolder } from '../folder.ts'

export type RedisServerOptions = {
  /** The program: a path, or a name to be found on the PATH. */
  readonly program: string
  /** What is kept lies here. */
  readonly path: string
  /** Of 127.0.0.1; 0, the default, takes a free one. */
  readonly port?: number
  readonly warn: (text: string) => void
}
export type RedisServer = {
  readonly url: string
  /** The process that serves it now; another one after it died. */
  readonly pid: () => number | undefined
  /** Why it keeps nothing at the moment; undefined while all is well. */
  readonly trouble: () => string | undefined
  readonly close: () => Promise<void>
}

/** BullMQ asks for it. */
const OLDEST = [6, 2] as const
const READY_MS = 10_000
const LAST_BREATH_MS = 3_000
const STOP_MS = 1_500
const TRIES = 3
/** How often it is seen to that what it keeps is still where it was. */
const LOOK_MS = 500

/**
 * The version of a Redis on this machine, if there is one that jobs can be kept in.
 * @param program a path, or a name to be found on the PATH
 */
export const findRedisServer = async (program: string): Promise<string | undefined> => {
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: 5_000 })
    const [, version = '', major = '', minor = ''] = /v=((\d+)\.(\d+)\S*)/.exec(stdout) ?? []
    const [a, b] = [Number(major), Number(minor)]
    return version !== '' && (a > OLDEST[0] || (a === OLDEST[0] && b >= OLDEST[1])) ? version : undefined
  } catch {
    // There is none, or what is called so is none.
    return undefined
  }
}

/**
 * Runs a Redis as it runs itself, but for a companion that ends it when this process is gone, however that ended: its end of the pipe is closed then.
 * Both are a group of their own, which a terminal's Ctrl-C does not reach, and which no other process can be in by the time it is signalled.
 */
const COMPANIONSHIP = `exec 3<&0; (trap '' TERM; cat <&3 >/dev/null; kill -TERM 0) & exec "$@" 3<&- </dev/null`

/**
 * Starts a Redis of our own on loopback that keeps what it is given: each change goes to its file, once a second to the disk. Started again when it dies.
 * @throws when it cannot be started
 */
export const startRedisServer = async ({ program, path, port = 0, warn }: RedisServerOptions): Promise<RedisServer> => {
  await makeFolder(path)
  const pidfile = join(path, 'redis.pid')
  await predecessor(path, pidfile)
  const pause = backoff()
  let current: ChildProcess | undefined
  let closing = false
  let lost: string | undefined

  const launch = async (at: number): Promise<ChildProcess> => {
    const settings = Object.entries({
      bind: '127.0.0.1',
      port: String(at),
      dir: path,
      pidfile,
      appendonly: 'yes',
      save: '',
      'maxmemory-policy': 'noeviction',
      daemonize: 'no',
      loglevel: 'warning',
    }).flatMap(([name, value]) => [`--${name}`, value])
    const child = spawn('/bin/sh', ['-c', COMPANIONSHIP, 'redis', program, ...settings], {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const said: string[] = []
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', line => {
        if (said.length < 20) said.push(line)
      })
    const ended = once(child, 'exit').then(() => {
      // The companion ends with the pipe.
      child.stdin.destroy()
    })
    child.stdin.on('error', () => {})
    if (await answers(at, child)) return child
    child.stdin.destroy()
    const overdue = setTimeout(() => killGroup(child), STOP_MS)
    await ended
    clearTimeout(overdue)
    throw new Error([`${program} cannot be started on port ${at}`, ...said].join('\n'))
  }
  const keep = (child: ChildProcess, at: number, since: number): void => {
    current = child
    child.once('exit', async (code, signal) => {
      current = undefined
      for (let up = performance.now() - since; !closing; up = 0) {
        const ms = pause(up)
        warn(`redis-server ended (${signal ?? code}); starting it again${ms === 0 ? ' at once' : ` in ${ms} ms`}`)
        await new Promise(resolve => setTimeout(resolve, ms).unref())
        if (closing) return
        // Started where its files are gone, it would begin anew, and empty.
        if (lost !== undefined) continue
        try {
          const next = await launch(at)
          if (closing) next.stdin?.destroy()
          else keep(next, at, performance.now())
          return
        } catch (err) {
          warn(err instanceof Error ? err.message : String(err))
        }
      }
    })
  }

  const [child, at] = await firstPort(port, launch)
  keep(child, at, performance.now())
  const anchors = anchor([path])
  const watching = setInterval(() => {
    const missed = anchors.lost()
    if (missed !== undefined && lost === undefined) {
      warn(lostAdvice(`what Redis keeps in ${path}`, missed))
      current?.stdin?.destroy()
    }
    lost = missed === undefined ? undefined : lostAdvice(`what Redis keeps in ${path}`, missed)
  }, LOOK_MS).unref()
  return {
    url: `redis://127.0.0.1:${at}`,
    pid: () => current?.pid,
    trouble: () => lost ?? (current === undefined ? 'the redis-server of the mesh is being started again' : undefined),
    close: async () => {
      closing = true
      clearInterval(watching)
      const last = current
      if (last === undefined) return
      const ended = once(last, 'exit')
      last.stdin?.destroy()
      const overdue = setTimeout(() => last.kill('SIGKILL'), STOP_MS)
      await ended
      clearTimeout(overdue)
    },
  }
}

/** With whatever the program started, should it not heed the signal of its companion. */
const killGroup = ({ pid }: ChildProcess): void => {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has just ended.
  }
}

/** A port that was free when it was asked for may be somebody's a moment later; a given one is tried once. */
const firstPort = async (port: number, launch: (port: number) => Promise<ChildProcess>): Promise<[ChildProcess, number]> => {
  if (port !== 0) return [await launch(port), port]
  for (let tries = 1; ; tries++) {
    const at = await freePort()
    try {
      return [await launch(at), at]
    } catch (err) {
      if (tries === TRIES) throw err
    }
  }
}

/**
 * Waits for the one that a killed process left behind: it ends by itself, and still writes; one whose companion was killed, too, is ended.
 * @throws when it does not end: two that write to one file would spoil it
 */
const predecessor = async (path: string, pidfile: string): Promise<void> => {
  const pid = Number(await readFile(pidfile, 'utf8').catch(() => ''))
  if (!(pid > 0 && isAlive(pid))) return
  const place = await workplace(pid)
  const ours = place === (await realpath(path))
  if ((place !== undefined && !ours) || (await outlive([pid], LAST_BREATH_MS)) || !ours) return
  process.kill(pid, 'SIGTERM')
  if (!(await outlive([pid], LAST_BREATH_MS)))
    throw new Error(`the redis-server of before (process ${pid}) still writes to ${path}: end it`)
}

/** Where a process works, if the system says so: tells it from another one that came to have its id. */
const workplace = (pid: number): Promise<string | undefined> => readlink(`/proc/${pid}/cwd`).catch(() => undefined)

/** Whether the child comes to answer at the port, having read what it kept. */
const answers = async (port: number, child: ChildProcess): Promise<boolean> => {
  const until = performance.now() + READY_MS
  while (child.exitCode === null && child.signalCode === null && performance.now() < until) {
    if (await answersNow(port, child.pid)) return true
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  return false
}

/** Another Redis may answer at a port that ours did not get, so it is asked who it is. */
const answersNow = (port: number, pid: number | undefined): Promise<boolean> =>
  new Promise(resolve => {
    let said = ''
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 }, () => socket.write('PING\r\nINFO server\r\n'))
    const end = (answered: boolean): void => {
      socket.destroy()
      resolve(answered)
    }
    socket.on('error', () => end(false))
    socket.on('timeout', () => end(false))
    socket.on('end', () => end(false))
    socket.on('data', chunk => {
      said += chunk.toString()
      const id = /process_id:(\d+)\r/.exec(said)?.[1]
      if (id !== undefined) end(said.startsWith('+PONG') && Number(id) === pid)
    })
  })
