import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http'
import { type Socket as Peer, Server as PlainServer } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { framingFault } from '../request/framing.ts'
import { handshakeFault } from '../request/handshake.ts'
import { type EdgeAnswer, type EdgeRequest, MOST_BYTES, type Socket } from '../request/request.ts'
import { Connection } from './connection.ts'
import { type Listening, type ListenOptions, MAX_WAITING_BYTES, TIMES, type Times } from './port.ts'

/**
 * The server where uWebSockets.js has no binary, and the only file that knows node:http and ws. It keeps the other's bounds: a header has 10 s, a body 15 s,
 * an answer that nobody reads 10 s; one request of a connection at a time.
 */

/** How much later than it should a time may be noticed to be over: a tenth of it. */
const CHECKS_A_TIME = 10
const NOTHING = new Uint8Array(0)
const REFUSED = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'
const ANCIENT = 'HTTP/1.1 505 HTTP Version Not Supported\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

const headersOf = ({ rawHeaders }: IncomingMessage): Map<string, string> => {
  const headers = new Map<string, string>()
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    const before = headers.get(name)
    const value = rawHeaders[i + 1] ?? ''
    headers.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return headers
}
const requestOf = (req: IncomingMessage): EdgeRequest => {
  const [path = '', query = ''] = (req.url ?? '').split(/\?(.*)/s)
  const address = req.socket.remoteAddress ?? ''
  return { method: req.method ?? '', path, query, headers: headersOf(req), body: NOTHING, oversized: false, address }
}

/** Reads a body of at most `MOST_BYTES`; calls back once, early when it is too large: the rest is read and thrown away. */
const readBody = (req: IncomingMessage, done: (body: Uint8Array | undefined) => void): void => {
  const chunks: Buffer[] = []
  let size = 0
  req.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= MOST_BYTES) return void chunks.push(chunk)
    chunks.length = 0
    req.removeAllListeners('data')
    req.removeAllListeners('end')
    req.resume()
    done(undefined)
  })
  req.on('end', () => done(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
}

const write = (res: ServerResponse, { status, headers, body, head }: EdgeAnswer, { unreadMs }: Times): void => {
  const bytes = Buffer.from(body)
  const empty = status === 204 || status === 304
  res.writeHead(status, empty ? headers : { ...headers, 'content-length': String(bytes.length) })
  res.end(head || empty ? undefined : bytes)
  // Who does not read an answer may not keep it here.
  if (!res.writableFinished) res.socket?.setTimeout(unreadMs, () => res.socket?.destroy())
}

/** A socket of ws; what is sent at once leaves as one packet. */
class NodeSocket implements Socket {
  readonly #ws: WebSocket
  readonly #peer: Peer
  constructor(ws: WebSocket, peer: Peer) {
    this.#ws = ws
    this.#peer = peer
  }
  send(frames: readonly (string | Uint8Array)[]): 'sent' | 'slow' | 'dropped' {
    const ws = this.#ws
    if (ws.readyState !== ws.OPEN) return 'dropped'
    let dropped = false
    this.#peer.cork()
    for (const frame of frames)
      if (this.waiting() > MAX_WAITING_BYTES) dropped = true
      else ws.send(frame, { binary: false })
    this.#peer.uncork()
    return dropped ? 'dropped' : this.waiting() > 0 ? 'slow' : 'sent'
  }
  waiting(): number {
    return this.#ws.bufferedAmount
  }
  ping(): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping()
  }
  close(code: number, reason: string): void {
    this.#ws.close(code, reason)
  }
}

/** @throws an error naming the address when it cannot be listened on */
export const listen = <V>({ host, port, handle, sockets, streamPath, times: given }: ListenOptions<V>): Promise<Listening> => {
  const times = { ...TIMES, ...given }
  const busy = new WeakSet<Peer>()
  const ended = new WeakSet<Peer>()
  const peers = new Set<Peer>()
  let stopping = false
  let underWay = 0

  const onRequest = (req: IncomingMessage, res: ServerResponse): void => {
    const peer = req.socket
    if (ended.has(peer)) return
    // A request behind one that is not answered yet ends the connection, and is not begun; that one may just have come whole.
    if (busy.has(peer)) return void setImmediate(() => peer.destroy())
    if (req.httpVersion !== '1.1') return void peer.end(ANCIENT)
    const request = requestOf(req)
    busy.add(peer)
    peer.setTimeout(0)
    underWay++
    let working = false
    let over = () => {
      over = () => {}
      underWay--
      busy.delete(peer)
    }
    // Work that has begun goes on without the caller.
    res.on('close', () => {
      if (!working) over()
    })
    const answer = async (body: Uint8Array, oversized: boolean): Promise<void> => {
      working = true
      const given = await handle({ ...request, body, oversized })
      working = false
      if (res.destroyed || peer.destroyed) return over()
      if (stopping) given.headers.connection = 'close'
      write(res, given, times)
    }
    const length = request.headers.get('content-length')
    if (framingFault(request)) {
      // Whatever follows is a matter of opinion.
      ended.add(peer)
      void answer(NOTHING, false)
    } else if (Number(length ?? 0) > MOST_BYTES) {
      req.resume()
      void answer(NOTHING, true)
    } else if (length === undefined && !request.headers.has('transfer-encoding')) void answer(NOTHING, false)
    else
      readBody(req, body => {
        if (!peer.destroyed) void answer(body ?? NOTHING, body === undefined)
      })
  }

  const upgrader = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MOST_BYTES,
    perMessageDeflate: false,
    handleProtocols: (_, req) => sockets.protocol(requestOf(req)) ?? false,
  })
  const onUpgrade = (req: IncomingMessage, peer: Peer, head: Buffer): void => {
    peer.on('error', () => {})
    if (req.httpVersion !== '1.1') return void peer.end(ANCIENT)
    const request = requestOf(req)
    if (request.path !== streamPath || request.method !== 'GET' || (framingFault(request) ?? handshakeFault(request))) {
      // Its body, if any, was not read: the connection ends with the answer.
      const res = new ServerResponse(req)
      res.shouldKeepAlive = false
      res.assignSocket(peer)
      res.on('finish', () => peer.end())
      return void onRequest(req, res)
    }
    upgrader.handleUpgrade(req, peer, head, ws => {
      const connection = new Connection(sockets)
      peer.setTimeout(times.socketIdleS * 1000, () => peer.destroy())
      peer.on('drain', () => connection.writable())
      ws.on('message', (data, isBinary) => connection.hear(isBinary ? null : String(data)))
      ws.on('ping', () => connection.alive())
      ws.on('pong', () => connection.alive())
      ws.on('error', () => {})
      ws.on('close', () => connection.gone())
      void connection.open(new NodeSocket(ws, peer), request)
    })
  }

  const server: Server = createServer({
    headersTimeout: times.headersMs,
    requestTimeout: times.requestMs,
    keepAliveTimeout: times.headersMs,
    connectionsCheckingInterval: times.headersMs / CHECKS_A_TIME,
    requireHostHeader: false,
    noDelay: true,
  })
  server.on('request', onRequest)
  server.on('checkExpectation', onRequest)
  server.on('upgrade', onUpgrade)
  server.on('clientError', (_, peer) => {
    if (peer.writable) peer.end(REFUSED, () => peer.destroy())
    else peer.destroy()
  })
  server.on('connection', peer => {
    peers.add(peer)
    peer.on('close', () => peers.delete(peer))
  })
  return new Promise((resolve, reject) => {
    server.once('error', cause => reject(new Error(`cannot listen on ${host}:${port}: is the port in use?`, { cause })))
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address()
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : port,
        stop: () => {
          stopping = true
          // Its own way of closing cuts off those who are still reading their answers.
          PlainServer.prototype.close.call(server)
        },
        underWay: () => underWay,
        close: () => {
          PlainServer.prototype.close.call(server)
          for (const peer of peers) peer.destroy()
        },
      })
    })
  })
}
