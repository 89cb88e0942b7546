import type { Live } from '../../actors/kernel/ports/backplane/port.ts'
import { deadline } from '../../actors/kernel/ports/clock/deadline.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { CLOSE } from '../../contracts/frames.ts'
import { SUBPROTOCOL } from '../../contracts/stream.ts'
import { type Address, addressOf } from '../access/address.ts'
import { type Authenticator, bearerOf, type Caller } from '../access/auth.ts'
import { counts } from '../access/counts.ts'
import type { ForwardedHeader } from '../access/forwarded.ts'
import type { Limits } from '../access/limits.ts'
import type { EdgeMetrics } from '../metrics/metrics.ts'
import { EdgeProblem, late } from '../request/problems.ts'
import type { EdgeRequest, Sockets } from '../request/request.ts'
import { Device } from './connection.ts'
import { fanout, frameText } from './fanout.ts'
import { createFrames, type FrameOptions } from './frames.ts'
import { type Positions, since } from './positions.ts'
import type { Presence } from './presence.ts'
import { type Changes, resumer } from './resume.ts'
import { setBacks } from './set-backs.ts'
import { offered } from './subprotocols.ts'

/** How many sockets a person, and an address, may have open at this edge. */
type SocketLimits = { readonly perUser: number; readonly perAddress: number }
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
  readonly forwardedHeader: ForwardedHeader
  readonly socketLimits: SocketLimits
  readonly heartbeatMs: number
  readonly draining: () => boolean
  readonly connectionId: () => string
}

/** How long the check of a token may take, keys that have to be fetched for it included. */
const ADMITTED_WITHIN_MS = 5_000
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
type Refused = { readonly code: number; readonly reason: string; readonly network?: string | undefined }
const refusal = (code: number, reason: string): Refused => ({ code, reason })
/** Who is at the other end of a socket. */
export type Visitor = Device | Refused
/** Those who were refused have nothing to say. */
const device = (hear: (device: Device) => void) => (visitor: Visitor) => {
  if (visitor instanceof Device) hear(visitor)
}

/** The live stream: who may open a socket, what is said on it, and when it ends. */
export const createStream = (options: StreamOptions) => {
  const { presence, positions, auth, limits, socketLimits, clock, random, heartbeatMs } = options
  const { deliver, lagged } = fanout(presence, positions, clock, options.metrics)
  const steps = setBacks(clock)
  const frames = createFrames({ ...options, resume: resumer(options.changes, positions, clock, steps, lagged) })

  /** Sockets by network, from before the first look at a token: those that wait for it to be checked count, too. */
  const networks = counts()
  const admit = async (request: EdgeRequest, address: Address): Promise<Caller | Refused> => {
    const { headers } = request
    const origin = headers.get('origin')
    if (origin !== undefined && !options.originAllowed(origin)) return refusal(CLOSE.origin, 'this origin may not connect')
    if (options.draining()) return refusal(CLOSE.restart, 'this edge is going away')
    const { network } = address
    const over = limits.exempt(address) ? 0 : limits.addresses.reads.draw(network, clock.elapsed()).retryAfter
    if (over > 0) return refusal(CLOSE.budget, `too many requests; try again in ${over} s`)
    const token = offered(headers.get('sec-websocket-protocol')).token ?? bearerOf(headers.get('authorization'))
    const known = auth.recall(token)
    if (!known && !limits.exempt(address) && limits.anonymous.draw(network, clock.elapsed()).retryAfter > 0)
      return refusal(CLOSE.budget, 'too many requests without a known token')
    const caller = known ?? (await auth.verify(token))
    if (limits.users.reads.draw(caller.id, clock.elapsed()).retryAfter > 0) return refusal(CLOSE.budget, 'the budget of reads is used up')
    return caller
  }

  const leave = (visitor: Visitor) => {
    if (visitor.network !== undefined) networks.remove(visitor.network)
    if (visitor instanceof Device) presence.leave(visitor)
  }

  /** Those whose events do not reach this edge, as the backplane does not know that they are here. */
  const unknown = new WeakSet<Device>()
  const sockets: Sockets<Visitor> = {
    // A client that offered protocols takes no answer without one, not even to learn that it is refused.
    protocol: ({ headers }) => (offered(headers.get('sec-websocket-protocol')).ours ? SUBPROTOCOL : undefined),
    accept: async request => {
      const address = addressOf(request, options.proxies, options.forwardedHeader)
      const network = limits.exempt(address) ? undefined : address.network
      if (network !== undefined) {
        if (networks.of(network) >= socketLimits.perAddress)
          return refusal(CLOSE.budget, `${socketLimits.perAddress} sockets of this address are open`)
        networks.add(network)
      }
      const verified = deadline(clock, ADMITTED_WITHIN_MS).race(admit(request, address), late('the token could not be verified in time'))
      const admitted = await verified.catch((error: unknown) =>
        // Keys that cannot be had are our trouble, not the token's.
        error instanceof EdgeProblem && error.status === 401
          ? refusal(CLOSE.token, 'a valid token is needed')
          : refusal(CLOSE.restart, 'try again later'),
      )
      if ('code' in admitted) return { ...admitted, network }
      if ((presence.of(admitted.id)?.size ?? 0) >= socketLimits.perUser)
        return { ...refusal(CLOSE.budget, `${socketLimits.perUser} sockets of yours are open`), network }
      const visitor = new Device(admitted.id, options.connectionId(), admitted.until, clock.elapsed(), network)
      if (!(await presence.enter(visitor))) unknown.add(visitor)
      return visitor
    },
    abandoned: leave,
    opened: (visitor, socket) => {
      if (!(visitor instanceof Device)) return socket.close(visitor.code, visitor.reason)
      visitor.opened(socket)
      visitor.say(frameText({ op: 'hello', connection: visitor.connection, position: positions.at(clock.now()), heartbeatMs }))
      // It hears nothing until it is known; then it is told once more.
      if (!unknown.delete(visitor)) return
      visitor.lag(since(clock.now()))
      visitor.tellLag(lagged)
    },
    message: (visitor, text) => {
      if (!(visitor instanceof Device)) return
      visitor.seen = clock.elapsed()
      frames.take(visitor, text)
    },
    alive: device(d => {
      const now = clock.elapsed()
      d.seen = now
      if (limits.controlFrames.draw(d.connection, now).retryAfter > 0) d.close(CLOSE.budget, 'too many pings or pongs')
    }),
    writable: device(d => d.tellLag(lagged)),
    closed: visitor => {
      if (visitor instanceof Device) visitor.gone()
      leave(visitor)
    },
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
    steps.look()
    const wall = clock.now()
    const now = clock.elapsed()
    for (const device of presence.all()) {
      if (device.closed) continue
      if (device.until <= wall) device.close(CLOSE.token, 'the token has expired')
      else if (now - device.seen >= 2 * heartbeatMs) device.close(CLOSE.silent, 'no sign of life for two heartbeats')
      else if (now - device.pinged >= heartbeatMs) device.ping(now)
    }
  }
  const sweeper = clock.every(Math.max(10, Math.min(SWEEP_MS, heartbeatMs / 4)), sweep)

  return {
    sockets,
    deliver: (live: Live) => deliver(live),
    /**
     * Live events since then (epoch ms) may be lost on their way to this edge: the events of its devices stop at once, and each is told to resume.
     * @param users whose devices; without them everybody's
     */
    missed: (told: number, users?: readonly string[]) => {
      if (users) presence.learned(users)
      for (const device of users ? presence.devicesOf(users) : presence.all()) {
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
