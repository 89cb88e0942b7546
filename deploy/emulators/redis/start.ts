import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import RedisParser from 'redis-parser'
import { createChannels } from './channels.ts'
import { createKeyspace } from './keyspace.ts'
import { encode } from './resp.ts'
import { type Output, openSession } from './session.ts'

const SWEEP_MS = 100
const SWEEP_KEYS = 500

/** A subscriber that reads slower than others publish is cut off here, as Redis does at its own limit, and resumes by its own means. */
const SUBSCRIBER_BYTES = 8 * 1024 * 1024
/** A client that does not read its replies is not read from either. */
const CLIENT_BYTES = 1024 * 1024

type Connection = Output & { flush(): void; closing(): boolean }

/**
 * Starts what the backplane needs of Redis, in this process and in memory, behind the real protocol (RESP2) so that the same client
 * serves both. Not a Redis: `redis/commands.ts` lists what it can do, everything else is an unknown command.
 * @param port of 127.0.0.1; 0, the default, takes a free one. Rejects with EADDRINUSE when it is taken.
 */
export async function startRedis({ port = 0 }: { port?: number } = {}): Promise<{ url: string; close(): Promise<void> }> {
  const keys = createKeyspace()
  const channels = createChannels<Output>()
  const sockets = new Set<Socket>()
  const touched = new Set<Connection>()

  const connect = (socket: Socket): void => {
    const connection = openConnection(socket)
    const session = openSession(keys, channels, connection)
    const parser = new RedisParser({
      returnBuffers: true,
      returnReply(request: unknown) {
        const [name, ...args] = words(request)
        if (name === undefined) reject('a command is an array of bulk strings')
        else session.execute(name, args)
      },
      returnError: error => reject(error.message),
      returnFatalError: error => reject(error.message),
    })
    const reject = (reason: string): void => {
      connection.write(encode({ failure: `ERR Protocol error: ${reason}` }))
      connection.close()
    }
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('data', chunk => {
      // What follows a word that is no command is not looked at: a page can have the browser send anything behind the head of an HTTP request.
      if (connection.closing()) return
      parser.execute(chunk)
      // One write a connection for all that this chunk caused: replies of a pipeline, messages to subscribers.
      for (const each of touched) each.flush()
      touched.clear()
    })
    // Told by `close`, which follows.
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      session.end()
    })
  }

  const openConnection = (socket: Socket): Connection => {
    let waiting = ''
    let closing = false
    const connection: Connection = {
      write(text) {
        if (closing || socket.destroyed) return
        waiting += text
        touched.add(connection)
      },
      close() {
        closing = true
        touched.add(connection)
      },
      closing: () => closing,
      flush() {
        if (waiting !== '') socket.write(waiting, 'latin1')
        waiting = ''
        if (closing) return void socket.end()
        const subscriber = channels.count(connection) > 0
        if (subscriber && socket.writableLength > SUBSCRIBER_BYTES) socket.destroy()
        if (subscriber || socket.writableLength <= CLIENT_BYTES) return
        socket.pause()
        socket.once('drain', () => socket.resume())
      },
    }
    return connection
  }

  const server = createServer(connect)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  const sweeper = setInterval(() => keys.sweep(SWEEP_KEYS), SWEEP_MS).unref()
  return {
    url: `redis://127.0.0.1:${address.port}`,
    async close() {
      clearInterval(sweeper)
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** The words of a command, a byte a character; none when it is something else. */
function words(request: unknown): string[] {
  if (!Array.isArray(request) || !request.every(word => Buffer.isBuffer(word))) return []
  return request.map(word => word.toString('latin1'))
}
