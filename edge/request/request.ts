/** What the edge takes and gives, without a socket: the servers fill and send these, tests make and read them. */

/** Most bytes of a body, and of a frame. */
export const MOST_BYTES = 65_536

/**
 * A request, copied from the connection.
 * @property path as sent, not decoded, without the query
 * @property query what follows `?`, or empty
 * @property headers by lower-case name; a repeated one joined with `, `
 * @property body empty when there is none, or when it was too large
 * @property oversized the body is above `MOST_BYTES` and was not kept
 * @property address the peer's IP address
 */
export type EdgeRequest = {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array
  readonly oversized: boolean
  readonly address: string
}

/**
 * An answer, made anew for each request. Header names are lower case; values hold no line breaks.
 * @property body text in UTF-8; empty for none
 * @property head answers a HEAD request: the length of the body is told, the body stays here
 */
export type EdgeAnswer = {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string
  readonly head?: boolean
}

/** Never rejects: whatever goes wrong becomes an answer. */
export type Handle = (request: EdgeRequest) => Promise<EdgeAnswer>

/** One open socket, as the library gives it. None of this throws after it closed. */
export type Socket = {
  /** Sends frames of text as one packet. `slow`: some wait in memory; `dropped`: there was no room for some. */
  readonly send: (frames: readonly (string | Uint8Array)[]) => 'sent' | 'slow' | 'dropped'
  /** Bytes that wait for the peer to read. */
  readonly waiting: () => number
  readonly ping: () => void
  readonly close: (code: number, reason: string) => void
}

/**
 * Decides about sockets and hears them. `V` is what is kept for one of them; it is all that is kept, as thousands may lie idle.
 */
export type Sockets<V> = {
  /** Which of the subprotocols that the client offers is spoken, if any. */
  readonly protocol: (request: EdgeRequest) => string | undefined
  /** Decides about a new socket. Never rejects. */
  readonly accept: (request: EdgeRequest) => Promise<V>
  /** The peer went away before that was decided. */
  readonly abandoned: (visitor: V) => void
  readonly opened: (visitor: V, socket: Socket) => void
  /** A frame of text; null: a binary one. */
  readonly message: (visitor: V, text: string | null) => void
  /** A ping or pong came. */
  readonly alive: (visitor: V) => void
  /** What waited has gone out. */
  readonly writable: (visitor: V) => void
  readonly closed: (visitor: V) => void
}
