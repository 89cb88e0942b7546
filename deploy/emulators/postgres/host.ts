import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { ensureDatabase } from './database.ts'
import type { FromThread } from './thread-messages.ts'

export type Host = {
  /** Of loopback. */
  readonly port: number
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>
  /** Ends it as it is. */
  readonly end: () => Promise<unknown>
  /** @returns whether no job waits for anything */
  readonly close: () => Promise<boolean>
}

const startThread = (path: string, serve: boolean): Worker => {
  const module = import.meta.url.endsWith('.ts') ? './thread-from-source.mjs' : './thread.js'
  return new Worker(new URL(module, import.meta.url), { workerData: { path, serve } })
}

/** Runs a thread to its end. */
const make = async (path: string): Promise<void> => {
  const thread = startThread(path, false)
  const [code] = await once(thread, 'exit')
  if (code !== 0) throw new Error(`an empty database could not be made (${code})`)
}

/** Starts the database at `path` in a thread, an empty one where there is none. */
export const startHost = async (path: string): Promise<Host> => {
  await ensureDatabase(path, make)
  const thread = startThread(path, true)
  const ended = once(thread, 'exit').then(() => {})
  const heard = new Promise<FromThread & { kind: 'ready' }>((resolve, reject) => {
    thread.once('error', reject)
    thread.once('message', resolve)
    thread.once('exit', code => reject(new Error(`it ended (${code}) before it was ready`)))
  })
  ended.catch(() => {})
  const { port } = await heard
  return {
    port,
    ended,
    end: () => thread.terminate(),
    close: async () => {
      const last = new Promise<boolean>(resolve => {
        thread.once('message', (message: FromThread) => resolve(message.kind === 'closed' && message.settled))
        thread.once('exit', () => resolve(false))
      })
      thread.postMessage('close')
      const settled = await last
      await ended
      return settled
    },
  }
}
