import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { z } from 'zod'
import { sessions } from './sessions.ts'
import type { FromThread } from './thread-messages.ts'

/*
 * PostgreSQL in a thread of its own, because it does its work in one go and would starve whatever shares its event loop. With `serve` it stands behind a
 * port of loopback until it is told to close; without, it makes an empty database with what
 * BullMQ needs in it, and ends.
 */
const { path, serve } = z.object({ path: z.string(), serve: z.boolean() }).parse(workerData)
const port = parentPort
if (!port) throw new Error('this is a thread')
const tell = (message: FromThread): void => port.postMessage(message)

/** It has one user with small jobs: 128 MB of buffers would be half of what it takes. */
const SETTINGS = ['shared_buffers=8MB', 'wal_buffers=512kB', 'max_wal_size=32MB', 'min_wal_size=16MB', 'work_mem=1MB', 'search_path=bullmq']
/** PostgreSQL cleans up behind updates by a process that is not there. */
const VACUUM_MS = 600_000

const db = await PGlite.create({
  dataDir: path,
  initDbStartParams: ['--wal-segsize=1'],
  startParams: [...PGlite.defaultStartParams, ...SETTINGS.flatMap(s => ['-c', s])],
})

if (!serve) {
  const { runMigrations } = await import('bullmq')
  const query = async <R>(text: string, values?: readonly unknown[]): Promise<{ rows: R[] }> => {
    if (values !== undefined || /^\s*SELECT/i.test(text)) return db.query<R>(text, [...(values ?? [])])
    // Many statements in one text.
    await db.exec(text)
    return { rows: [] }
  }
  await runMigrations({ query })
  await db.close()
} else {
  let used = true
  const vacuum = async (): Promise<void> => {
    if (used) await db.exec('VACUUM')
    used = false
  }
  let closing = false
  const execute = (messages: Uint8Array): Promise<Uint8Array> => {
    // Those who are cut off now still say that they leave.
    if (closing) return new Promise(() => {})
    used = true
    return db.runExclusive(() => db.execProtocolRaw(messages))
  }
  const { rows } = await db.query<{ server_version: string }>('SHOW server_version')
  const greet = sessions(execute, rows[0]?.server_version ?? '')
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    greet(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the database listens on no port')
  const cleaning = setInterval(() => void vacuum(), VACUUM_MS)
  port.once('message', async () => {
    closing = true
    clearInterval(cleaning)
    server.close()
    for (const socket of sockets) socket.destroy()
    const settled = await isSettled()
    await db.close()
    tell({ kind: 'closed', settled })
    port.close()
  })
  tell({ kind: 'ready', port: address.port })
}

/** Whether no job waits for anything. */
async function isSettled(): Promise<boolean> {
  const { rows } = await db.query<{ jobs: string | null }>("SELECT to_regclass('bullmq.job') AS jobs")
  if (rows[0]?.jobs == null) return true
  const { rows: left } = await db.query("SELECT 1 FROM bullmq.job WHERE state NOT IN ('completed', 'failed') LIMIT 1")
  return left.length === 0
}
