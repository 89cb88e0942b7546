import uWS, { type HttpRequest, type HttpResponse, type us_socket_context_t, type WebSocket } from 'uWebSockets.js'
import { STATUS_CODES } from 'node:http'
import { setImmediate as turned } from 'node:timers/promises'
import { framingFault } from '../request/framing.ts'
import { handshakeFault } from '../request/handshake.ts'
import { type EdgeAnswer, type EdgeRequest, MOST_BYTES, type Socket } from '../request/request.ts'
import { Connection } from './connection.ts'
import { type Listening, type ListenOptions, MAX_WAITING_BYTES, TIMES } from './port.ts'

/**
 * The only file that touches uWebSockets.js. Its requests live on the stack: everything is copied before the first await. An answer may come after the
 * peer went away: every response has its abort handler. What is sent after an await is corked, or each header would be a packet.
 */

/** `LIBUS_LISTEN_EXCLUSIVE_PORT`: its types say an enum that is not there at run time. Without it two processes could share a port and never know. */
const EXCLUSIVE_PORT = 1
/** Characters of a body that may wait as the library has it: in the same time a connection cannot ask for so many that it would matter. */
const SMALL = 512
const NOTHING = new Uint8Array(0)

const statusLine = (status: number) => `${status} ${STATUS_CODES[status] ?? 'Unknown'}`
const textOf = (bytes: ArrayBuffer) => Buffer.from(bytes).toString('latin1')

const headersOf = (req: HttpRequest): Map<string, string> => {
  const headers = new Map<string, string>()
  req.forEach((name, value) => {
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}, ${value}`)
  })
  return headers
}
const requestOf = (res: HttpResponse, req: HttpRequest): EdgeRequest => ({
  method: req.getCaseSensitiveMethod(),
  path: req.getUrl(),
  query: req.getQuery(),
  headers: headersOf(req),
  body: NOTHING,
  oversized: false,
  address: textOf(res.getRemoteAddressAsText()),
})

/** Reads a body of at most `MOST_BYTES`; calls back once, early when it is too large: the library then swallows the rest. */
const readBody = (res: HttpResponse, done: (body: Uint8Array | undefined) => unknown): void => {
  let chunks: Uint8Array[] = []
  let size = 0
  let over = false
  res.onData((chunk, isLast) => {
    if (over) return
    size += chunk.byteLength
    if (size > MOST_BYTES) {
      over = true
      chunks = []
      return done(undefined)
    }
    // The library takes the chunk back when this returns.
    const copy = new Uint8Array(chunk.slice(0))
    if (!isLast) return void chunks.push(copy)
    over = true
    done(chunks.length === 0 ? copy : Buffer.concat([...chunks, copy]))
  })
}

/** All headers in one call of the library, which takes a name and a value: each call into it costs more than the header. */
const writeHeaders = (res: HttpResponse, headers: Readonly<Record<string, string>>): void => {
  let first = ''
  let rest = ''
  for (const name in headers)
    if (first === '') {
      first = name
      rest = headers[name] ?? ''
    } else rest += `\r\n${name}: ${headers[name]}`
  if (first !== '') res.writeHeader(first, rest)
}
/** @param sent called when all of it has left this process */
const write = (res: HttpResponse, { status, headers, body, head }: EdgeAnswer, sent: () => void): void => {
  res.writeStatus(statusLine(status))
  if (headers.connection === 'close' && !head && body.length < SMALL) {
    // The library writes the header itself.
    const { connection, ...others } = headers
    writeHeaders(res, others)
    res.end(body, true)
    return void sent()
  }
  writeHeaders(res, headers)
  // The library's own way of telling a length without a body leaves the response pending and breaks the connection.
  if (head) res.writeHeader('content-length', String(Buffer.byteLength(body)))
  if (!head && status !== 204 && status !== 304) return void endAsRead(res, body, sent)
  res.endWithoutBody()
  sent()
}
/**
 * Sends a body no faster than it is read. The library's plain way copies what the reader does not take and goes on to the next request of the connection:
 * who asks for a page a thousand times in one packet and reads nothing would have a thousand copies of it kept. So it is one, and the connection ends there.
 */
const endAsRead = (res: HttpResponse, body: string, sent: () => void): void => {
  if (body.length < SMALL) {
    res.end(body)
    return void sent()
  }
  const size = Buffer.byteLength(body)
  const [, whole] = res.tryEnd(body, size)
  if (whole) return void sent()
  const bytes = Buffer.from(body)
  res.onWritable(offset => {
    const [ok, done] = res.tryEnd(bytes.subarray(offset), size)
    if (done) sent()
    return ok
  })
}

/** `request`: until the socket is open. */
type Data<V> = { readonly connection: Connection<V>; socket: UwsSocket | undefined; request: EdgeRequest | undefined }

class UwsSocket implements Socket {
  #ws: WebSocket<unknown> | undefined
  constructor(ws: WebSocket<unknown>) {
    this.#ws = ws
  }
  gone(): void {
    this.#ws = undefined
  }
  send(frames: readonly (string | Uint8Array)[]): 'sent' | 'slow' | 'dropped' {
    const ws = this.#ws
    if (!ws) return 'dropped'
    // The library says 1: sent, 0: waits, 2: no room.
    let worst = 1
    const one = (frame: string | Uint8Array) => {
      const result = ws.send(frame, false, false)
      if (result === 2 || (result === 0 && worst === 1)) worst = result
    }
    const [only] = frames
    if (frames.length === 1 && only !== undefined) one(only)
    else
      ws.cork(() => {
        for (const frame of frames) one(frame)
      })
    return worst === 1 ? 'sent' : worst === 0 ? 'slow' : 'dropped'
  }
  waiting(): number {
    return this.#ws?.getBufferedAmount() ?? 0
  }
  ping(): void {
    this.#ws?.ping()
  }
  close(code: number, reason: string): void {
    this.#ws?.end(code, reason)
  }
}

/** @throws an error naming the address when it cannot be listened on */
export const listen = <V>({ host, port, handle, sockets, streamPath, times }: ListenOptions<V>): Promise<Listening> => {
  let stopping = false
  let underWay = 0

  const onRequest = (res: HttpResponse, request: EdgeRequest): void => {
    underWay++
    const over = () => void underWay--
    let aborted = false
    let working = false
    res.onAborted(() => {
      aborted = true
      // Work that has begun goes on without the caller.
      if (!working) over()
    })
    const answer = async (body: Uint8Array, oversized: boolean): Promise<void> => {
      working = true
      const given = await handle({ ...request, body, oversized })
      // Within its own parsing the library would go on to what follows, as if the connection did not end.
      if (given.headers.connection === 'close') await turned()
      working = false
      if (aborted) return over()
      if (stopping) given.headers.connection = 'close'
      res.cork(() => write(res, given, over))
    }
    const length = request.headers.get('content-length')
    const chunked = request.headers.has('transfer-encoding')
    // Where its body ends is nobody's to say.
    if (framingFault(request)) void answer(NOTHING, false)
    else if (Number(length ?? 0) > MOST_BYTES) void answer(NOTHING, true)
    else if (!chunked && (length === undefined || length === '0')) void answer(NOTHING, false)
    else
      readBody(res, async body => {
        // The library takes trailers for the next request and ends the connection: what has no end that all agree on is not begun.
        if (chunked) await turned()
        if (!aborted) void answer(body ?? NOTHING, body === undefined)
      })
  }

  const onUpgrade = (res: HttpResponse, req: HttpRequest, context: us_socket_context_t): void => {
    const request = requestOf(res, req)
    if (framingFault(request) ?? handshakeFault(request)) return void onRequest(res, request)
    const data: Data<V> = { connection: new Connection(sockets), socket: undefined, request }
    const [key, extensions] = [req.getHeader('sec-websocket-key'), req.getHeader('sec-websocket-extensions')]
    res.upgrade(data, key, sockets.protocol(request) ?? '', extensions, context)
  }

  const app = uWS.App()
  app.ws<Data<V>>(streamPath, {
    // A frame that says it is larger, or grows larger in pieces, ends the connection there and then, without a close frame: nothing of it is kept.
    maxPayloadLength: MOST_BYTES,
    maxBackpressure: MAX_WAITING_BYTES,
    idleTimeout: times?.socketIdleS ?? TIMES.socketIdleS,
    sendPingsAutomatically: false,
    upgrade: onUpgrade,
    open: ws => {
      const data = ws.getUserData()
      const { request } = data
      data.request = undefined
      data.socket = new UwsSocket(ws)
      if (request) void data.connection.open(data.socket, request)
    },
    message: (ws, message, isBinary) => ws.getUserData().connection.hear(isBinary ? null : Buffer.from(message).toString()),
    ping: ws => ws.getUserData().connection.alive(),
    pong: ws => ws.getUserData().connection.alive(),
    drain: ws => ws.getUserData().connection.writable(),
    close: ws => {
      const { socket, connection } = ws.getUserData()
      socket?.gone()
      connection.gone()
    },
  })
  app.any('/*', (res, req) => onRequest(res, requestOf(res, req)))

  return new Promise((resolve, reject) => {
    const listening = (token: Parameters<typeof uWS.us_listen_socket_close>[0] | false) => {
      if (!token) return reject(new Error(`cannot listen on ${host}:${port}: is the port in use?`))
      let open = true
      resolve({
        port: uWS.us_socket_local_port(token),
        stop: () => {
          stopping = true
          if (open) uWS.us_listen_socket_close(token)
          open = false
        },
        underWay: () => underWay,
        close: () => {
          open = false
          app.close()
        },
      })
    }
    // The types know the host or the options, the library both.
    const listenOn = app.listen.bind(app) as unknown as (host: string, port: number, options: number, done: typeof listening) => void
    listenOn(host, port, EXCLUSIVE_PORT, listening)
  })
}
