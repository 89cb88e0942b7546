import type { Live } from '../actors/kernel/backplane/port.ts'
import type { Clock } from '../actors/kernel/clock/port.ts'
import { CLOSE, SUBPROTOCOL } from '../contracts/stream.ts'
import { type Authenticator, bearerOf, type Caller } from './auth.ts'
import { addressOf } from './call.ts'
import { Device } from './device.ts'
import { fanout, frameText } from './fanout.ts'
import { createFrames, type FrameOptions } from './frames.ts'
import { type Limits, networkOf } from './limits.ts'
import type { EdgeMetrics } from './metrics.ts'
import { type Positions, since } from './positions.ts'
import type { Presence } from './presence.ts'
import { EdgeProblem } from './problems.ts'
import type { EdgeRequest, Sockets } from './request.ts'
import { type Changes, resumer } from './resume.ts'
import { offered } from './subprotocols.ts'

export type StreamOptions = Omit<FrameOptions, 'resume'> & {
  readonly changes: Changes
  readonly presence: Presence
  readonly positions: Positions
  readonly auth: Authenticator
  readonly limits: Limits
  readonly clock: Clock
  readonly metrics: EdgeMetrics
  readonly random: () => number
  readonly originAllowed: (origin: string) => boolean
  readonly proxies: number
  readonly heartbeatMs: number
  readonly draining: () => boolean
  readonly connectionId: () => string
}

/** How often tokens and heartbeats are looked at, at most. */
const SWEEP_MS = 1_000
/** Over how long the clients of an edge that goes away spread their return. */
const SPREAD_MS = 3_000
/**
 * How many devices are told in a moment (ms) that they missed something. Each reads what changed, and an edge has thousands; the first moment lets gaps that
 * follow each other become one.
 */
const TOLD_A_MOMENT = 100
const MOMENT_MS = 100

/** Somebody who is not let in. A refusal must come before any other frame, and only an open socket can tell its reason. */
type Refused = { readonly code: number; readonly reason: string }
const refusal = (code: number, reason: string): Refused => ({ code, reason })
/** Who is at the other end of a socket. */
export type Visitor = Device | Refused
/** Those who were refused have nothing to say. */
const device = (hear: (device: Device) => void) => (visitor: Visitor) => {
  if (visitor instanceof Device) hear(visitor)
}

/** The live stream: who may open a socket, what is said on it, and when it ends. */
export const createStream = (options: StreamOptions) => {
  const { presence, positions, auth, limits, clock, random, heartbeatMs } = options
  const { deliver, lagged } = fanout(presence, positions, clock, options.metrics)
  const frames = createFrames({ ...options, resume: resumer(options.changes, positions, clock, lagged) })

  const admit = async (request: EdgeRequest): Promise<Caller | Refused> => {
    const { headers } = request
    const origin = headers.get('origin')
    if (origin !== undefined && !options.originAllowed(origin)) return refusal(CLOSE.origin, 'this origin may not connect')
    if (options.draining()) return refusal(CLOSE.restart, 'this edge is going away')
    const address = addressOf(request, options.proxies)
    const network = networkOf(address)
    const over = limits.exempt(address) ? 0 : limits.addresses.reads.draw(network, clock.now()).retryAfter
    if (over > 0) return refusal(CLOSE.budget, `too many requests; try again in ${over} s`)
    const token = offered(headers.get('sec-websocket-protocol')).token ?? bearerOf(headers.get('authorization'))
    const known = auth.recall(token)
    if (!known && !limits.exempt(address) && limits.anonymous.draw(network, clock.now()).retryAfter > 0)
      return refusal(CLOSE.budget, 'too many requests without a known token')
    const caller = known ?? (await auth.verify(token))
    if (limits.users.reads.draw(caller.id, clock.now()).retryAfter > 0) return refusal(CLOSE.budget, 'the budget of reads is used up')
    return caller
  }

  const sockets: Sockets<Visitor> = {
    // A client that offered protocols takes no answer without one, not even to learn that it is refused.
    protocol: ({ headers }) => (offered(headers.get('sec-websocket-protocol')).ours ? SUBPROTOCOL : undefined),
    accept: async request => {
      const admitted = await admit(request).catch((error: unknown) =>
        // Keys that cannot be had are our trouble, not the token's.
        error instanceof EdgeProblem && error.status === 401
          ? refusal(CLOSE.token, 'a valid token is needed')
          : refusal(CLOSE.restart, 'try again later'),
      )
      if ('code' in admitted) return admitted
      const visitor = new Device(admitted.id, options.connectionId(), admitted.until, clock.now())
      await presence.enter(visitor)
      return visitor
    },
    abandoned: device(presence.leave),
    opened: (visitor, socket) => {
      if (!(visitor instanceof Device)) return socket.close(visitor.code, visitor.reason)
      visitor.opened(socket)
      visitor.say(frameText({ op: 'hello', connection: visitor.connection, position: positions.at(clock.now()), heartbeatMs }))
    },
    message: (visitor, text) => {
      if (!(visitor instanceof Device)) return
      visitor.seen = clock.now()
      frames.take(visitor, text)
    },
    alive: device(d => {
      d.seen = clock.now()
    }),
    writable: device(d => d.tellLag(lagged)),
    closed: device(d => {
      d.gone()
      presence.leave(d)
    }),
  }

  /** Those who do not know yet that events passed them by. */
  const untold = new Set<Device>()
  let telling = false
  const tell = async () => {
    if (telling) return
    telling = true
    while (untold.size > 0) {
      await clock.sleep(MOMENT_MS)
      let room = TOLD_A_MOMENT
      for (const device of untold) {
        untold.delete(device)
        device.tellLag(lagged)
        if (--room === 0) break
      }
    }
    telling = false
  }

  const sweep = () => {
    const now = clock.now()
    for (const device of presence.all()) {
      if (device.closed) continue
      if (device.until <= now) device.close(CLOSE.token, 'the token has expired')
      else if (now - device.seen >= 2 * heartbeatMs) device.close(CLOSE.silent, 'no sign of life for two heartbeats')
      else if (now - device.pinged >= heartbeatMs) device.ping(now)
    }
  }
  const sweeper = clock.every(Math.max(10, Math.min(SWEEP_MS, heartbeatMs / 4)), sweep)

  return {
    sockets,
    deliver: (live: Live) => deliver(live),
    /** Live events since then (epoch ms) may be lost on their way to this edge: the events of every device stop at once, and each is told to resume. */
    missed: (told: number) => {
      for (const device of presence.all()) {
        device.lag(since(told))
        untold.add(device)
      }
      void tell()
    },
    /** Messages of sockets that were not answered yet. */
    underWay: frames.underWay,
    /** Tells every device that this edge goes away. */
    drain: () => {
      for (const device of presence.all())
        device.say(frameText({ op: 'drain', afterMs: Math.floor(random() * SPREAD_MS), position: positions.at(clock.now()) }))
    },
    /** Closes every socket. */
    close: () => {
      sweeper.stop()
      untold.clear()
      for (const device of [...presence.all()]) device.close(CLOSE.restart, 'this edge has gone away')
    },
  }
}
