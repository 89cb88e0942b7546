import type { Handle, Sockets } from '../request/request.ts'

/** What a server gives the edge, whichever library is below it. */

export type Listening = {
  readonly port: number
  /** Takes no new connections; answers say that theirs closes. */
  readonly stop: () => void
  /** Requests whose body, or whose answer, is still on its way, and those between. */
  readonly underWay: () => number
  /** Ends every connection. */
  readonly close: () => void
}
export type ListenOptions<V> = {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly handle: Handle
  readonly sockets: Sockets<V>
  /** Where sockets are opened. */
  readonly streamPath: string
}
/** @throws an error naming the address when it cannot be listened on */
export type Listen = <V>(options: ListenOptions<V>) => Promise<Listening>

/** Bytes that may wait for a socket's reader. */
export const MAX_WAITING_BYTES = 1_048_576
/** A backstop behind the stream's own heartbeats: a dead peer's socket must go even if its close frame is never read. */
export const SOCKET_IDLE_S = 60
