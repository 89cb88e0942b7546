import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { errorMessage } from '../actors/kernel/ports/errors/error-message.ts'
import { PushMessage } from '../contracts/push.ts'
import { deviceKeys } from './push-service/decrypt.ts'
import { checkVapid } from './push-service/vapid.ts'

/** How a push service can misbehave. */
export type Fault =
  /** An answer of this status, with these headers. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** It takes the request and says nothing. */
  | 'hang'
  /** It closes the connection instead of answering. */
  | 'reset'
  /** It takes the message, then says a byte now and then, for ever. */
  | 'drip'
  /** It takes the message, then talks for ever, as fast as it can. */
  | 'endless'
  /** It takes the message, announces more than it says, and closes the connection. */
  | 'drop'

/** A device with a browser that has subscribed. */
export type Browser = {
  /** As `PushSubscription.toJSON()` gives it. */
  readonly subscription: { readonly endpoint: string; readonly expirationTime: null; readonly keys: { p256dh: string; auth: string } }
  /** What it has decrypted, in the order of arrival. */
  readonly received: readonly PushMessage[]
  /** The headers of the requests for it, those that were answered with a fault included. */
  readonly requests: readonly Readonly<Record<string, string | undefined>>[]
  /** What happens to its next requests: a fault, for so many of them. Default: all. */
  readonly fail: (fault: Fault, times?: number) => void
  readonly heal: () => void
  /** The subscription is gone: 410 from now on. */
  readonly forget: () => void
}

export type PushService = {
  readonly origin: string
  /** @param applicationServerKey the public key of who may send: base64url */
  readonly subscribe: (applicationServerKey: string) => Browser
  /** Requests that were wrong, with the reason: unsigned, badly encrypted, against the protocol. */
  readonly wrong: readonly string[]
  readonly connections: () => number
  /** Requests that wait for an answer that does not come. */
  readonly hanging: () => number
  readonly close: () => Promise<void>
}

type Device = { readonly key: string; readonly take: (request: IncomingMessage, body: Buffer) => Fault }

const TAKEN: Fault = { status: 201 }
/** Bytes of a talk that does not end, at the most: the test has long failed by then. */
const ENOUGH = 64 * 1024 * 1024

const read = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

const endless = (response: ServerResponse) => {
  response.writeHead(201)
  const chunk = Buffer.alloc(16 * 1024, 'x')
  let bytes = 0
  const talk = () => {
    while (bytes < ENOUGH && !response.destroyed) {
      bytes += chunk.length
      if (!response.write(chunk)) return response.once('drain', talk)
    }
    return response.destroy()
  }
  talk()
}

/**
 * A push service on loopback that checks what it is sent: who signs it, for whom it is encrypted, and that it says how long to be kept.
 * @param now epoch ms, of whoever signs
 */
export const startPushService = async (now: () => number = Date.now): Promise<PushService> => {
  const devices = new Map<string, Device>()
  const wrong: string[] = []
  const sockets = new Set<Socket>()
  const drips = new Set<NodeJS.Timeout>()
  let connections = 0
  let hanging = 0
  let origin = ''

  const misbehave = (fault: Exclude<Fault, { status: number }>, request: IncomingMessage, response: ServerResponse) => {
    switch (fault) {
      case 'hang':
        hanging += 1
        response.once('close', () => {
          hanging -= 1
        })
        return
      case 'reset':
        return request.socket.destroy()
      case 'drip': {
        response.writeHead(201)
        const drip = setInterval(() => response.write('.'), 50)
        drips.add(drip)
        response.once('close', () => clearInterval(drip))
        return
      }
      case 'endless':
        return endless(response)
      case 'drop':
        response.writeHead(201, { 'content-length': '100' })
        return response.write('half', () => request.socket.destroy())
    }
  }
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await read(request)
    const device = devices.get(request.url ?? '')
    if (!device) return response.writeHead(404).end()
    let fault: Fault
    try {
      if (request.method !== 'POST') throw new Error(`it is a ${request.method}`)
      checkVapid(request.headers.authorization, { origin, applicationServerKey: device.key }, now())
      if (!/^\d+$/.test(String(request.headers.ttl))) throw new Error('it has no TTL')
      if (request.headers['content-encoding'] !== 'aes128gcm') throw new Error('it is not encrypted as aes128gcm')
      fault = device.take(request, body)
    } catch (error) {
      wrong.push(errorMessage(error))
      return response.writeHead(400).end()
    }
    if (typeof fault !== 'object') return misbehave(fault, request, response)
    return response.writeHead(fault.status, { ...fault.headers }).end()
  }
  const server = createServer((request, response) => {
    answer(request, response).catch(error => {
      wrong.push(String(error))
      response.destroy()
    })
  })
  server.on('connection', socket => {
    connections += 1
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the push service listens on no port')
  origin = `http://127.0.0.1:${address.port}`

  const subscribe = (applicationServerKey: string): Browser => {
    const path = `/wpush/${randomUUID()}`
    const { decrypt, ...keys } = deviceKeys()
    const received: PushMessage[] = []
    const requests: Readonly<Record<string, string | undefined>>[] = []
    let failing: { fault: Fault; left: number } | undefined
    const take = (request: IncomingMessage, body: Buffer): Fault => {
      const { ttl, topic, urgency, authorization } = request.headers
      requests.push({ ttl: String(ttl), topic: String(topic), urgency: String(urgency), authorization })
      const message = PushMessage.parse(JSON.parse(decrypt(body)))
      const fault = failing && failing.left-- > 0 ? failing.fault : TAKEN
      if (typeof fault === 'object' ? fault.status < 300 : fault !== 'hang' && fault !== 'reset') received.push(message)
      return fault
    }
    const browser: Browser = {
      subscription: { endpoint: `${origin}${path}`, expirationTime: null, keys },
      received,
      requests,
      fail: (fault, times = Number.POSITIVE_INFINITY) => {
        failing = { fault, left: times }
      },
      heal: () => {
        failing = undefined
      },
      forget: () => {
        failing = { fault: { status: 410 }, left: Number.POSITIVE_INFINITY }
      },
    }
    devices.set(path, { key: applicationServerKey, take })
    return browser
  }
  return {
    origin,
    subscribe,
    wrong,
    connections: () => connections,
    hanging: () => hanging,
    close: async () => {
      for (const drip of drips) clearInterval(drip)
      for (const socket of sockets) socket.destroy()
      await new Promise<void>(resolve => server.close(() => resolve()))
    },
  }
}
