import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { CLOSE } from '../../contracts/frames.ts'
import type { Limits } from '../access/limits.ts'
import type { Sockets } from '../request/request.ts'
import { Connection, type Lagged } from './connection.ts'
import { frameText } from './fanout.ts'
import type { Frames } from './frames.ts'
import { type Positions, since } from './positions.ts'
import type { Presence } from './presence.ts'
import type { Refused, SocketAdmission } from './socket-admission.ts'
import { offered } from './subprotocols.ts'

/** What is at the other end of a socket: a person, or somebody who is not let in. */
export type Visitor = Connection | Refused

export type SocketsOptions = {
  readonly admission: SocketAdmission
  readonly presence: Presence
  readonly positions: Positions
  readonly frames: Frames
  readonly lagged: Lagged
  readonly limits: Pick<Limits, 'controlFrames'>
  readonly clock: Clock
  readonly subprotocol: string
  readonly heartbeatMs: number
  readonly connectionId: () => string
}

/** Those who were refused have nothing to say. */
const ifConnected = (hear: (connection: Connection) => void) => (visitor: Visitor) => {
  if (visitor instanceof Connection) hear(visitor)
}

/** What becomes of a socket from its opening to its end. */
export const createSockets = (options: SocketsOptions): Sockets<Visitor> => {
  const { admission, presence, positions, frames, lagged, limits, clock, heartbeatMs } = options
  /** Those whose events do not reach this edge, as the backplane does not know that they are here. */
  const unknown = new WeakSet<Connection>()
  const leave = (visitor: Visitor) => {
    admission.release(visitor)
    if (visitor instanceof Connection) presence.offline(visitor)
  }
  return {
    // A client that offered protocols takes no answer without one, not even to learn that it is refused.
    protocol: ({ headers }) => (offered(headers.get('sec-websocket-protocol'), options.subprotocol).ours ? options.subprotocol : undefined),
    accept: async request => {
      const admitted = await admission.admit(request)
      if ('code' in admitted) return admitted
      const oneMore = admission.refuseOneMore(admitted)
      if (oneMore) return oneMore
      const { caller, network } = admitted
      const connection = new Connection(caller.id, options.connectionId(), caller.until, clock.elapsed(), network)
      if (!(await presence.online(connection))) unknown.add(connection)
      return connection
    },
    abandoned: leave,
    opened: (visitor, socket) => {
      if (!(visitor instanceof Connection)) return socket.close(visitor.code, visitor.reason)
      visitor.attach(socket)
      visitor.send(frameText({ op: 'hello', connection: visitor.id, position: positions.at(clock.now()), heartbeatMs }))
      // It hears nothing until it is known; then it is told once more.
      if (!unknown.delete(visitor)) return
      visitor.startGap(since(clock.now()))
      visitor.sendLagged(lagged)
    },
    message: (visitor, text) => {
      if (!(visitor instanceof Connection)) return
      visitor.seenAt = clock.elapsed()
      frames.take(visitor, text)
    },
    alive: ifConnected(connection => {
      const now = clock.elapsed()
      connection.seenAt = now
      if (limits.controlFrames.draw(connection.id, now).retryAfter > 0) connection.close(CLOSE.budget, 'too many pings or pongs')
    }),
    writable: ifConnected(connection => connection.sendLagged(lagged)),
    closed: visitor => {
      if (visitor instanceof Connection) visitor.detach()
      leave(visitor)
    },
  }
}
