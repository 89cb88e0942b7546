import { WebSocket } from 'k6/websockets'
import { z } from 'zod'
import { CLOSE, type ClientFrame, EventFrame, Hello } from '../../contracts/frames.ts'
import { SUBPROTOCOL, streamEvents } from '../../contracts/stream.ts'
import { conforms } from './contract.ts'
import { doubled, dropped, failures, hello } from './metrics.ts'
import type { Speaker } from './say.ts'
import { within } from './wait.ts'

/** A device on the live stream. */
export type Ear = {
  /** Told of each event: what it is about, its text, and when it was heard. */
  readonly heard: ReadonlyMap<string, number>
  /** When an event was heard, epoch ms, such as `post.published <id>`; undefined when it was not within `ms`, or the socket is lost. */
  readonly hears: (what: string, ms: number) => Promise<number | undefined>
  /** Says how far it had heard before; resolves with the mesh's answer, `reset` or `resumed`. */
  readonly resume: (position: string) => Promise<string | undefined>
  /** How far it has heard. */
  readonly position: () => string
  readonly open: () => boolean
  readonly close: () => void
}

const OPENING_MS = 15_000
const Frame = z.object({ op: z.string() })
const Subject = z.object({ id: z.string().optional(), postId: z.string().nullish() })

const subjectOf = (data: unknown): string => {
  const { id, postId } = Subject.parse(data)
  return postId ?? id ?? ''
}

/**
 * Opens a socket and waits for `hello`.
 * @param told of each event, as it comes
 * @throws an error when there is no `hello` in time
 */
export const listen = async (url: string, by: Speaker, told: (what: string, data: unknown) => void = () => {}): Promise<Ear> => {
  const began = Date.now()
  const heard = new Map<string, number>()
  const ids = new Set<string>()
  const waiting = new Map<string, (at: number | undefined) => void>()
  let position = ''
  let isOpen = false
  let closing = false
  let resumed: ((answer: string | undefined) => void) | undefined
  let greeted: (() => void) | undefined
  let refused: ((why: Error) => void) | undefined
  const greeting = new Promise<void>((resolve, reject) => {
    greeted = resolve
    refused = reject
  })
  const headers = { authorization: `Bearer ${by.token}`, 'sec-websocket-protocol': SUBPROTOCOL }
  const socket = new WebSocket(url, null, { headers, tags: { name: 'stream' } })
  const say = (frame: ClientFrame) => socket.send(JSON.stringify(frame))

  const hear = (frame: z.infer<typeof EventFrame>) => {
    position = frame.position
    if (ids.has(frame.id) && resumed === undefined) doubled.add(1)
    ids.add(frame.id)
    conforms(`the event ${frame.type}`, Object.entries(streamEvents).find(([type]) => type === frame.type)?.[1], frame.data)
    const what = `${frame.type} ${subjectOf(frame.data)}`
    const at = Date.now()
    heard.set(what, at)
    told(what, frame.data)
    waiting.get(what)?.(at)
  }
  const take = (text: string) => {
    const frame: unknown = JSON.parse(text)
    const { op } = Frame.parse(frame)
    if (op === 'event') return hear(EventFrame.parse(frame))
    if (op === 'hello') {
      ;({ position } = Hello.parse(frame))
      isOpen = true
      hello.add(Date.now() - began)
      greeted?.()
    } else if (op === 'reset' || op === 'resumed') resumed?.(op)
    else if (op === 'lagged') say({ op: 'resume', position })
  }
  socket.onmessage = event => {
    try {
      if (typeof event?.data === 'string') take(event.data)
    } catch (error) {
      // thrown here, it would leave the iteration waiting for ever
      failures.add(true)
      console.error(String(error))
    }
  }
  let trouble = ''
  socket.onerror = event => {
    trouble = event?.error ?? 'an error without words'
  }
  socket.onclose = () => {
    if (isOpen && !closing) dropped.add(1)
    isOpen = false
    refused?.(new Error(`the stream at ${url} closed before hello: ${trouble || `no reason; ${CLOSE.token} would be the token`}`))
    for (const wake of waiting.values()) wake(undefined)
    resumed?.(undefined)
  }
  const close = () => {
    closing = true
    socket.close(1000)
  }

  try {
    const answer = await within(
      OPENING_MS,
      greeting.then(() => 'hello'),
    )
    if (answer === undefined) throw new Error(`the stream at ${url} said no hello within ${OPENING_MS} ms`)
    failures.add(false)
  } catch (error) {
    close()
    throw error
  }
  return {
    heard,
    hears: async (what, ms) => {
      const before = heard.get(what)
      if (before !== undefined || !isOpen) return before
      const at = await within(ms, new Promise<number | undefined>(resolve => waiting.set(what, resolve)))
      waiting.delete(what)
      return at
    },
    resume: from => {
      const answer = new Promise<string | undefined>(resolve => {
        resumed = resolve
      })
      say({ op: 'resume', position: from })
      return within(OPENING_MS, answer)
    },
    position: () => position,
    open: () => isOpen,
    close,
  }
}
