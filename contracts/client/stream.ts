import { z } from 'zod'
import { BEARER_SUBPROTOCOL, CLOSE, type ClientFrame, Drain, EventFrame, Hello, Lagged, ReplyFrame } from '../frames.ts'
import { type StreamEvents, type StreamEventType, SUBPROTOCOL, streamEvents } from '../stream.ts'
import { backOff } from './http.ts'
import type { DataOf, Writes } from './request.ts'

/** What is needed of a WebSocket: the browser's, and `ws` in Node 20. */
type Socket = {
  send(data: string): void
  close(code?: number): void
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: unknown) => void): void
}
type SocketConstructor = new (url: string, protocols: string[]) => Socket

/** An event as a device hears it: `at` is when it happened (RFC 3339), `id` names it on every device. */
export type Told<E extends StreamEventType> = { readonly id: string; readonly type: E; readonly at: string; readonly data: StreamEvents[E] }
export type StreamEvent = { [E in StreamEventType]: Told<E> }[StreamEventType]
export type StreamOptions = {
  readonly WebSocket: SocketConstructor
  /** Each event once, by its id, over all reconnections. */
  readonly onEvent: (event: StreamEvent) => void
  /** What happened meanwhile is lost to the stream: reload by HTTP what is shown. */
  readonly onReset?: () => void
  /** A frame that is not what the contract says; it is passed over. */
  readonly onError?: (error: unknown) => void
  /** How long a socket may take to open and say hello, in ms, until another is tried. Default 10 s. */
  readonly helloMs?: number
  /** `code` is the close code of the socket that was lost, 0 before the first. */
  readonly onConnection?: (state: 'open' | 'lost' | 'refused', code: number) => void
}
type StreamReply = { readonly status: number; readonly body: unknown }
export type Stream = {
  /** Resolves with the first `hello`; rejects when the stream is closed or refused before. */
  readonly ready: Promise<void>
  /** Sends a message over the socket; sent again under the same id when the socket is lost before the reply. */
  readonly send: <C extends Writes>(type: C, data: DataOf<C>, id?: string) => Promise<StreamReply>
  /** Gives the mesh the token of the moment, before the old one expires. */
  readonly renew: () => Promise<void>
  readonly close: () => void
}

const REMEMBERED = 2_000
/** How long a socket must have been open for its loss to be the first of its kind. */
const STEADY_MS = 5_000
const HELLO_MS = 10_000
/** The close code of a connection that ended without one (RFC 6455, 7.4.1). */
const ABNORMAL = 1006
const Op = z.object({ op: z.string() })
const Closed = z.object({ code: z.number() })
const Said = z.object({ data: z.string() })

/**
 * Opens the stream and keeps it open: reconnects with back-off, resumes where it was, obeys `drain` and `lagged`.
 * @param token the bearer token; `renewed` asks for a new one, after the old one was refused
 */
export const openStream = (url: string, token: (renewed: boolean) => Promise<string>, options: StreamOptions): Stream => {
  const heard = new Set<string>()
  const unanswered = new Map<string, { frame: ClientFrame; done: (reply: StreamReply) => void; failed: (error: Error) => void }>()
  let settle: { resolve: () => void; reject: (why: Error) => void } | undefined
  const ready = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject }
  })
  // whoever awaits `ready` hears of it; nobody must
  ready.catch(() => undefined)
  let position: string | undefined
  let greeted: string | undefined
  let socket: Socket | undefined
  let failures = 0
  /** As `performance.now` counts: since when the socket is open, and before when it was asked not to come back. */
  let openedAt = Number.POSITIVE_INFINITY
  let notBefore = 0
  let over = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let greeting: ReturnType<typeof setTimeout> | undefined

  const say = (frame: ClientFrame) => {
    // A socket that is opening takes nothing; what waits for an answer is said after its hello.
    if (Number.isFinite(openedAt)) socket?.send(JSON.stringify(frame))
  }
  const end = (why: Error) => {
    over = true
    clearTimeout(timer)
    clearTimeout(greeting)
    settle?.reject(why)
    for (const { failed } of unanswered.values()) failed(why)
    unanswered.clear()
  }
  const tell = (frame: z.infer<typeof EventFrame>, text: string) => {
    position = frame.position
    const known = Object.entries(streamEvents).find(([type]) => type === frame.type)
    // an event that this version does not know is none of its business; one that it has heard is a repeat
    if (!known || heard.has(frame.id)) return
    heard.add(frame.id)
    for (const oldest of heard) if (heard.size > REMEMBERED) heard.delete(oldest)
    known[1].parse(frame.data)
    const event: StreamEvent = JSON.parse(text)
    options.onEvent(event)
  }
  const frames: Readonly<Record<string, (frame: unknown, text: string) => void>> = {
    hello: frame => {
      const hello = Hello.parse(frame)
      clearTimeout(greeting)
      openedAt = performance.now()
      greeted = hello.position
      if (position === undefined) position = hello.position
      else say({ op: 'resume', position })
      for (const { frame: waiting } of unanswered.values()) say(waiting)
      options.onConnection?.('open', 0)
      settle?.resolve()
    },
    event: (frame, text) => tell(EventFrame.parse(frame), text),
    reply: frame => {
      const { id, status, body } = ReplyFrame.parse(frame)
      const waiting = id === null ? undefined : unanswered.get(id)
      if (id !== null) unanswered.delete(id)
      waiting?.done({ status, body })
    },
    reset: () => {
      // All is read anew now; the position that could not be answered would only be refused again.
      position = greeted
      options.onReset?.()
    },
    lagged: frame => {
      // Where the gap begins, which may be before what was heard last.
      position = Lagged.parse(frame).position
      say({ op: 'resume', position })
    },
    drain: frame => {
      const { afterMs } = Drain.parse(frame)
      const leaving = socket
      notBefore = performance.now() + afterMs
      timer = setTimeout(() => leaving?.close(1000), afterMs)
    },
  }

  const lost = (code: number) => {
    socket = undefined
    clearTimeout(timer)
    clearTimeout(greeting)
    if (over) return
    if (code === CLOSE.nonsense || code === CLOSE.origin) {
      options.onConnection?.('refused', code)
      return end(new Error(`the stream was refused with ${code}`))
    }
    options.onConnection?.('lost', code)
    // a socket that is closed again and again as soon as it is open is not doing well
    failures = performance.now() - openedAt > STEADY_MS ? 1 : failures + 1
    openedAt = Number.POSITIVE_INFINITY
    timer = setTimeout(() => void connect(code === CLOSE.token), Math.max(backOff(failures, 100, 10_000), notBefore - performance.now()))
  }
  const connect = async (renewed: boolean) => {
    const bearer = await token(renewed).catch((error: unknown) => new Error('the stream got no token', { cause: error }))
    if (over) return
    if (bearer instanceof Error) return end(bearer)
    const opened = new options.WebSocket(url, [SUBPROTOCOL, `${BEARER_SUBPROTOCOL}${bearer}`])
    socket = opened
    greeting = setTimeout(() => {
      lost(ABNORMAL)
      opened.close()
    }, options.helloMs ?? HELLO_MS)
    opened.addEventListener('message', (event: unknown) => {
      if (socket !== opened) return
      // thrown in a socket's listener, an error would end the whole process in Node
      try {
        const { data } = Said.parse(event)
        const frame: unknown = JSON.parse(data)
        frames[Op.parse(frame).op]?.(frame, data)
      } catch (error) {
        options.onError?.(error)
      }
    })
    // a `close` follows every `error`, and says as much
    opened.addEventListener('error', () => undefined)
    // One that was given up goes in its own time.
    opened.addEventListener('close', (event: unknown) => {
      if (socket === opened) lost(Closed.parse(event).code)
    })
  }
  void connect(false)

  return {
    ready,
    send: (type, data, id = crypto.randomUUID()) =>
      new Promise((done, failed) => {
        if (over) return failed(new Error('the stream is closed'))
        const frame: ClientFrame = { op: 'send', id, type, data }
        unanswered.set(id, { frame, done, failed })
        say(frame)
      }),
    renew: async () => {
      say({ op: 'auth', token: await token(true) })
    },
    close: () => {
      end(new Error('the stream was closed'))
      socket?.close(1000)
    },
  }
}
