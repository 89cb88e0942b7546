import type { SendOrder } from '../commands/command-request.ts'
import type { Socket } from '../request/request.ts'

/** Bytes that may wait for a slow reader before its events stop; below the library's own limit, so that what says so still gets through. */
const MAX_WAITING_BYTES = 262_144

const NOBODY = Promise.resolve()

/** The frame that tells a client that events passed it by, since then (epoch ms). */
export type Lagged = (since: number) => string

/** One open socket of a person: how fresh its token is, and what waits to be sent. A class, as thousands of them lie idle and each closure would count. */
export class Connection {
  readonly user: string
  /** Names it in its `hello`, in logs and for budgets. */
  readonly id: string
  /** Until when the token is good (epoch ms). */
  tokenUntil: number
  /** When it last gave a sign of life, and was last pinged (as the clock’s `elapsed`). */
  seenAt: number
  pingedAt: number
  /** Since when (epoch ms) frames of it are refused for want of budget. */
  deniedAt: number | undefined
  /** Live events wait while it is brought up to date. */
  eventsHeld = false
  /** The network among whose sockets it is counted; undefined: the address is exempt. */
  readonly network: string | undefined
  #socket: Socket | undefined
  #queue: Uint8Array[] | undefined
  #queued = 0
  /** Since when (epoch ms) events passed it by; undefined: none did. Until it resumes no more come. */
  #gap: number | undefined
  /** It has not been told so yet. */
  #untold = false
  #lastInOrder: Promise<void> = NOBODY

  constructor(user: string, id: string, tokenUntil: number, now: number, network: string | undefined) {
    this.user = user
    this.network = network
    this.id = id
    this.tokenUntil = tokenUntil
    this.seenAt = now
    this.pingedAt = now
  }

  attach(socket: Socket): void {
    this.#socket = socket
  }
  get closed(): boolean {
    return this.#socket === undefined
  }
  /** The socket is gone. */
  detach(): void {
    this.#socket = undefined
    this.#queue = undefined
  }
  close(code: number, reason: string): void {
    this.#socket?.close(code, reason)
  }
  ping(now: number): void {
    this.pingedAt = now
    this.#socket?.ping()
  }

  /** Sends at once. @returns false when there was no room */
  send(frame: string): boolean {
    return this.#socket?.send([frame]) !== 'dropped'
  }
  /** Puts a message of this client behind those that it said before: each claims its id first, and claims may overtake each other. */
  joinSendOrder(): SendOrder {
    const before = this.#lastInOrder
    let leave = () => {}
    this.#lastInOrder = new Promise(resolve => {
      leave = resolve
    })
    return { before, leave }
  }
  /**
   * Queues an event. @returns whether it was, which it is not once it lags
   * @param since the gap that begins when no more fit
   */
  queueEvent(frame: Uint8Array, since: number): boolean {
    if (this.#socket === undefined || this.#gap !== undefined) return false
    if (this.#queue === undefined) this.#queue = [frame]
    else this.#queue.push(frame)
    this.#queued += frame.length
    if (this.#queued > MAX_WAITING_BYTES) this.#noteGap(since)
    return true
  }
  /** Sends what was queued as one packet. @param since the gap that begins where it is not taken */
  flush(lagged: Lagged, since: number): void {
    if (this.eventsHeld) return
    const queue = this.#queue
    this.#clearQueue()
    if (this.#socket === undefined) return
    if (queue !== undefined) {
      const result = this.#socket.send(queue)
      if (result === 'dropped' || (result === 'slow' && this.#socket.waiting() > MAX_WAITING_BYTES)) this.#noteGap(since)
    }
    this.sendLagged(lagged)
  }
  /** Says that events have stopped, and where to resume, once there is room to say it. */
  sendLagged(lagged: Lagged): void {
    if (!this.#untold || this.#gap === undefined || this.#socket === undefined || this.eventsHeld) return
    if (this.#socket.send([lagged(this.#gap)]) !== 'dropped') this.#untold = false
  }
  /** Events passed it by: no more come until it resumes, not even what is queued, which would say that it had heard all before. */
  startGap(since: number): void {
    // A client that is not greeted yet is told by the greeting where it begins.
    if (this.#socket === undefined) return
    this.#clearQueue()
    this.#noteGap(since)
  }
  /** Events go on. */
  endGap(): void {
    this.#gap = undefined
    this.#untold = false
  }
  /** Live events are kept back until `releaseEvents`. @returns since when it is to be brought up to date, for a gap that reaches further back too */
  holdEvents(since: number): number {
    const from = Math.min(since, this.#gap ?? since)
    this.endGap()
    this.eventsHeld = true
    return from
  }
  /** Sends a part of what it missed. */
  replay(frames: readonly string[]): 'sent' | 'slow' | 'dropped' {
    return this.#socket?.send(frames) ?? 'dropped'
  }
  /** Whether much of it waits to be read. */
  isBehind(): boolean {
    return this.#socket !== undefined && this.#socket.waiting() > MAX_WAITING_BYTES / 2
  }
  /** What was kept back goes out, and events go on, unless some passed it by meanwhile. @param since what was kept back began then */
  releaseEvents(lagged: Lagged, since: number): void {
    this.eventsHeld = false
    if (this.#gap !== undefined) this.startGap(since)
    this.flush(lagged, since)
  }
  #clearQueue(): void {
    this.#queue = undefined
    this.#queued = 0
  }
  #noteGap(since: number): void {
    this.#gap = Math.min(since, this.#gap ?? since)
    this.#untold = true
  }
}
