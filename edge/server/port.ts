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
  readonly times?: Partial<Times>
}
/**
 * How long a connection may take. uWebSockets.js has the first three of its own: 10 s, rounded up to its timer's 4 s.
 * @property headersMs for a request's header to come whole, and between two requests
 * @property requestMs for a request to come whole
 * @property unreadMs an answer, or a part of it, that nobody reads
 * @property socketIdleS a socket that says nothing: a backstop behind the stream's own heartbeats, as a dead peer's socket must go even if its close frame is
 * never read. uWebSockets.js takes 8 s or more
 */
export type Times = { readonly headersMs: number; readonly requestMs: number; readonly unreadMs: number; readonly socketIdleS: number }
export const TIMES: Times = { headersMs: 10_000, requestMs: 15_000, unreadMs: 10_000, socketIdleS: 60 }

/** @throws an error naming the address when it cannot be listened on */
export type Listen = <V>(options: ListenOptions<V>) => Promise<Listening>

/** Bytes that may wait for a socket's reader. */
export const MAX_WAITING_BYTES = 1_048_576
