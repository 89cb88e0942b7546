import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { environment } from '../../actors/kernel/config/config.ts'
import { ownModule } from '../../deploy/emulators/module.ts'
import { until } from '../until.ts'

/** A process of the mesh as production runs it: alone, told what to do by its environment and by signals. */
export type Process = {
  readonly name: string
  /** Where its metrics and health are. */
  readonly operations: string
  /** Resolves when it has ended, with how: an exit code or a signal. */
  readonly signal: (signal: 'SIGTERM' | 'SIGKILL') => Promise<number | NodeJS.Signals>
}

const READY = /"operations":"([^"]+)".*is ready"/

/** Starts processes, and ends with `end` those that still run. */
export const launcher = (settings: Readonly<Record<string, string>>) => {
  const running = new Set<ChildProcess>()
  const launch = async (
    name: string,
    path: string,
    args: readonly string[],
    own: Readonly<Record<string, string>> = {},
  ): Promise<Process> => {
    const env = environment({ ...settings, LOG_LEVEL: 'info', OPERATIONS_PORT: '0', ...own })
    const { script, execArgv } = ownModule(path, import.meta.url)
    const child = spawn(process.execPath, [...execArgv, script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    running.add(child)
    const ended = once(child, 'exit').then(([code, signal]: (number | NodeJS.Signals | null)[]) => {
      running.delete(child)
      return signal ?? code ?? 0
    })
    const said: string[] = []
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', line => said.push(line))
    const operations = await until(
      `${name} is ready`,
      () => {
        if (!running.has(child)) throw new Error(`${name} ended: ${said.join('\n')}`)
        return said.map(line => READY.exec(line)?.[1]).find(url => url !== undefined)
      },
      60_000,
    )
    return {
      name,
      operations,
      signal: signal => {
        child.kill(signal)
        return ended
      },
    }
  }
  return {
    worker: (actor: string) => launch(actor, '../../actors/main', [actor]),
    edge: (port: number) => launch('edge', '../../edge/main', [], { PORT: String(port) }),
    end: async () => {
      const ends = [...running].map(child => once(child, 'exit'))
      for (const child of running) child.kill('SIGKILL')
      await Promise.all(ends)
    },
  }
}
