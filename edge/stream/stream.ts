import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { CLOSE, type StreamDeclaration } from '../../contracts/frames.ts'
import type { EdgeMetrics } from '../metrics/metrics.ts'
import type { BackplaneSubscription } from './backplane-subscription.ts'
import type { ConnectionRegistry } from './connections.ts'
import { fanout, frameText } from './fanout.ts'
import { type FrameOptions, frameReader } from './frames.ts'
import { gapNotices } from './gaps.ts'
import { heartbeats } from './heartbeats.ts'
import type { Positions } from './positions.ts'
import { presence } from './presence.ts'
import { type Changes, resumer } from './resume.ts'
import { setBacks } from './set-backs.ts'
import { type SocketAdmissionOptions, socketAdmission } from './socket-admission.ts'
import { createSockets } from './sockets.ts'

export type StreamOptions = Omit<FrameOptions, 'resume'> &
  Omit<SocketAdmissionOptions, 'subprotocol'> & {
    readonly stream: StreamDeclaration
    readonly changes: Changes
    readonly connections: ConnectionRegistry
    readonly subscription: BackplaneSubscription
    readonly positions: Positions
    readonly metrics: EdgeMetrics
    readonly random: () => number
    readonly heartbeatMs: number
    readonly connectionId: () => string
  }

/** Over how long the clients of an edge that goes away spread their return. */
const RETURN_SPREAD_MS = 3_000

/** What is said to everybody when this edge goes away. */
const farewell = (connections: ConnectionRegistry, positions: Positions, clock: Clock, random: () => number) => ({
  /** Tells every connection that this edge goes away. */
  drain: () => {
    for (const connection of connections.all())
      connection.send(frameText({ op: 'drain', afterMs: Math.floor(random() * RETURN_SPREAD_MS), position: positions.at(clock.now()) }))
  },
  closeAll: () => {
    for (const connection of [...connections.all()]) connection.close(CLOSE.restart, 'this edge has gone away')
  },
})

/** The live stream: who may open a socket, what is said on it, and when it ends. */
export const createStream = (options: StreamOptions) => {
  const { connections, subscription, positions, clock, log, random, heartbeatMs, access } = options
  const { subprotocol } = options.stream
  const { deliver, lagged } = fanout(connections, positions, clock, options.metrics)
  const gaps = gapNotices(connections, clock, lagged)
  const present = presence({
    connections,
    subscription,
    clock,
    onUntold: err => log.debug({ err }, 'the backplane was not told who is here'),
    onLate: (user, since) => gaps.missed(since, [user]),
  })
  const steps = setBacks(clock)
  const frames = frameReader({ ...options, resume: resumer(options.changes, positions, clock, steps, lagged) })
  const admission = socketAdmission({ ...options, subprotocol })
  const sockets = createSockets({ ...options, admission, presence: present, frames, lagged, limits: access.limits, subprotocol })
  const sweeper = heartbeats(connections, clock, steps, heartbeatMs)
  const { drain, closeAll } = farewell(connections, positions, clock, random)
  return {
    sockets,
    deliver,
    /** Live events since then (epoch ms) may be lost on their way to this edge. @param users whom it concerns; without them everybody here */
    missed: (since: number, users?: readonly string[]) => {
      if (users) present.learned(users)
      gaps.missed(since, users)
    },
    /** Tells the backplane who is here, after it came back. */
    announceAll: present.announceAll,
    /** Messages of sockets that were not answered yet. */
    underWay: frames.underWay,
    drain,
    /** Closes every socket. */
    close: () => {
      sweeper.stop()
      gaps.clear()
      closeAll()
    },
  }
}
