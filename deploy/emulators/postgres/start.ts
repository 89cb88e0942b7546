import { once } from 'node:events'
import { rm, stat, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { anchor, lostAdvice } from '../anchors.ts'
import { makeFolder } from '../folder.ts'
import { type Host, startHost } from './host.ts'
import { refusal } from './messages.ts'
import { type Guest, receive } from './reception.ts'

export type PostgresOptions = {
  /** What is kept lies here. */
  readonly path: string
  /** Of 127.0.0.1; 0, the default, takes a free one. */
  readonly port?: number
  /** A client that calls itself so (`application_name`) waits for something to do: it is let in once there may be something, and wakes nobody. */
  readonly waiting: string
  /** One that calls itself so only looks: it is turned away while the database sleeps. */
  readonly looking: string
  readonly warn: (text: string, error?: unknown) => void
}

export type Postgres = {
  readonly url: string
  /** Whether the database runs. */
  readonly awake: () => boolean
  /** Why it keeps nothing any more; undefined while all is well. */
  readonly trouble: () => string | undefined
  readonly close: () => Promise<void>
}

/** How long a database that could not be started is left alone. */
const AGAIN_MS = 5_000
/** How often it is seen to that what is kept is still where it was. */
const LOOK_MS = 500
const ASLEEP = 'the database of jobs sleeps, as there has been no job since the start; it is not woken to look'

/**
 * PostgreSQL on loopback for the jobs of the mesh: PGlite in a thread, behind its protocol. It takes 0.2 GB, so it sleeps until somebody has a job for it;
 * a database that was left with jobs in it runs as soon as somebody waits for them.
 * It is safe from kills of this process, not from those of the machine.
 */
export const startPostgres = async ({ path, port = 0, waiting, looking, warn }: PostgresOptions): Promise<Postgres> => {
  await makeFolder(path)
  const anchors = anchor([path])
  const database = join(path, 'database')
  /** There while no job waits for anything. */
  const mark = join(path, 'settled')
  const there = (what: string) =>
    stat(what).then(
      () => true,
      () => false,
    )
  let settled = (await there(mark)) || !(await there(database))
  let host: Host | undefined
  let starting: Promise<Host> | undefined
  let notBefore = 0
  let closing = false
  const sockets = new Set<Socket>()
  const held = new Set<Guest>()

  const trouble = (): string | undefined => {
    const missed = anchors.lost()
    return missed === undefined ? undefined : lostAdvice(`the database of jobs in ${path}`, missed)
  }
  const start = async (): Promise<Host> => {
    const why = trouble()
    if (why !== undefined) throw new Error(why)
    await rm(mark, { force: true })
    const started = await startHost(database)
    host = started
    void started.ended.then(() => {
      host = undefined
      starting = undefined
      if (!closing) warn('the database of jobs ended by itself; it is started again')
    })
    return started
  }
  const wake = (): Promise<Host> => {
    settled = false
    if (starting === undefined) {
      starting = start().catch(err => {
        notBefore = performance.now() + AGAIN_MS
        starting = undefined
        warn(`the database of jobs cannot be started; without ${path} it begins anew`, err)
        throw err
      })
    }
    return starting
  }
  const letIn = async ({ socket, take }: Guest): Promise<void> => {
    try {
      if (starting === undefined && performance.now() < notBefore) throw new Error('it could not be started a moment ago')
      const { port } = await wake()
      if (socket.destroyed) return
      const inner = connect({ port, host: '127.0.0.1', noDelay: true })
      inner.on('error', () => socket.destroy())
      socket.on('close', () => inner.destroy())
      inner.write(take())
      socket.pipe(inner).pipe(socket)
    } catch (err) {
      socket.end(refusal(`the database of jobs does not run: ${err instanceof Error ? err.message : String(err)}`))
    }
  }
  const greet = (guest: Guest): void => {
    if (guest.name === looking && starting === undefined) return void guest.socket.end(refusal(ASLEEP))
    if (guest.name === waiting && settled && starting === undefined) {
      held.add(guest)
      guest.socket.on('close', () => held.delete(guest))
      return
    }
    const all = [guest, ...held]
    held.clear()
    for (const one of all) void letIn(one)
  }
  const server = createServer(socket => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    receive(socket, greet)
  })
  let noticed = false
  const watching = setInterval(() => {
    const why = trouble()
    if (why !== undefined && !noticed) warn(why)
    noticed = why !== undefined
    // What it went on to say would be kept nowhere.
    if (noticed) void host?.end()
  }, LOOK_MS).unref()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the database of jobs listens on no port')
  return {
    url: `postgres://dailygrind@127.0.0.1:${address.port}/jobs`,
    awake: () => host !== undefined,
    trouble,
    close: async () => {
      closing = true
      clearInterval(watching)
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
      const running = await starting?.catch(() => undefined)
      if (running && (await running.close())) await writeFile(mark, '')
    },
  }
}
