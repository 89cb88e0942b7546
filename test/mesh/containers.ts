import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { z } from 'zod'
import { environment } from '../../actors/kernel/config/config.ts'
import { ownModule } from '../../deploy/emulators/module.ts'

const Answer = z.object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })) })

/**
 * Containers of the posts' function, each a process of its own.
 * @param settings what the n-th (from 0) finds in its environment
 */
export const containers = (settings: (n: number) => Readonly<Record<string, string>>) => {
  const { script, execArgv } = ownModule('./function.fixture', import.meta.url)
  const running = new Set<ChildProcess>()
  const signals: (NodeJS.Signals | null)[] = []
  let started = 0
  return {
    /** By which signals those ended that died by themselves. */
    signals,
    /** Resolves when it has loaded its code. */
    start: async () => {
      const child = fork(script, [], {
        execArgv,
        env: environment(settings(started++)),
      })
      running.add(child)
      const death = once(child, 'exit').then(([, signal]) => {
        if (running.delete(child)) signals.push(signal)
      })
      await Promise.race([once(child, 'message'), death])
      const handler = async (event: unknown, invocation: { readonly getRemainingTimeInMillis: () => number }) => {
        child.send({ event, remainingMs: invocation.getRemainingTimeInMillis() }, () => {})
        const [answer] = await once(child, 'message')
        return Answer.parse(answer)
      }
      return { handler, death }
    },
    end: () => {
      for (const child of running) {
        running.delete(child)
        child.kill('SIGKILL')
      }
    },
  }
}
