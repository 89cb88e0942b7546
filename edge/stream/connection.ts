import type { Place } from '../commands/submit.ts'
import type { Socket } from '../request/request.ts'

/** Bytes that may wait for a slow reader before its events stop; below the library's own limit, so that what says so still gets through. */
const LAG_BYTES = 262_144

const NOBODY = Promise.resolve()

/** The frame that tells a device that events passed it by, since then (epoch ms). */
export type Lagged = (since: number) => string

/** One connected device: whose, how fresh its token, and what waits to be sent. A class, as thousands of them lie idle and each closure would count. */
export class Device {
  readonly user: string
  /** Where its requests come from, for the budgets. */
  readonly connection: string
  /** Until when the token is good (epoch ms); when it last gave a sign of life, and was last pinged (as the clock’s `elapsed`). */
  until: number
  seen: number
  pinged: number
  /** Since when (epoch ms) frames of it are refused for want of budget. */
  deniedAt: number | undefined
  /** Live events wait while it is brought up to date. */
  held = false
  /** Whose socket it is among those that are counted; undefined: the address is exempt. */
  readonly network: string | undefined
  #socket: Socket | undefined
  #queue: Uint8Array[] | undefined
  #queued = 0
  /** Since when (epoch ms) events passed it by; undefined: none did. Until it resumes no more come. */
  #gap: number | undefined
  /** It has not been told so yet. */
  #untold = false
  #line: Promise<void> = NOBODY

  constructor(user: string, connection: string, until: number, now: number, network: string | undefined) {
    this.user = user
    this.network = network
    this.connection = connection
    this.until = until
    this.seen = now
    this.pinged = now
  }

  opened(socket: Socket): void {
    this.#socket = socket
  }
  get closed(): boolean {
    return this.#socket === undefined
  }
  /** The socket is gone. */
  gone(): void {
    this.#socket = undefined
    this.#queue = undefined
  }
  close(code: number, reason: string): void {
    this.#socket?.close(code, reason)
  }
  ping(now: number): void {
    this.pinged = now
    this.#socket?.ping()
  }

  /** Sends at once. @returns false when there was no room */
  say(frame: string): boolean {
    return this.#socket?.send([frame]) !== 'dropped'
  }
  /** Puts a message of this device behind those that it said before: each claims its id first, and claims may overtake each other. */
  takePlace(): Place {
    const before = this.#line
    let leave = () => {}
    this.#line = new Promise(resolve => {
      leave = resolve
    })
    return { before, leave }
  }
  /**
   * Queues an event. @returns whether it was, which it is not once the device lags
   * @param since the gap that begins when no more fit
   */
  hear(frame: Uint8Array, since: number): boolean {
    if (this.#socket === undefined || this.#gap !== undefined) return false
    if (this.#queue === undefined) this.#queue = [frame]
    else this.#queue.push(frame)
    this.#queued += frame.length
    if (this.#queued > LAG_BYTES) this.#miss(since)
    return true
  }
  /** Sends what was queued as one packet. @param since the gap that begins where it is not taken */
  flush(lagged: Lagged, since: number): void {
    if (this.held) return
    const queue = this.#queue
    this.#drop()
    if (this.#socket === undefined) return
    if (queue !== undefined) {
      const result = this.#socket.send(queue)
      if (result === 'dropped' || (result === 'slow' && this.#socket.waiting() > LAG_BYTES)) this.#miss(since)
    }
    this.tellLag(lagged)
  }
  /** Says that events have stopped, and where to resume, once there is room to say it. */
  tellLag(lagged: Lagged): void {
    if (!this.#untold || this.#gap === undefined || this.#socket === undefined || this.held) return
    if (this.#socket.send([lagged(this.#gap)]) !== 'dropped') this.#untold = false
  }
  /** Events passed it by: no more come until it resumes, not even what is queued, which would say that it had heard all before. */
  lag(since: number): void {
    // Who is not greeted yet is told by the greeting where it begins.
    if (this.#socket === undefined) return
    this.#drop()
    this.#miss(since)
  }
  /** Events go on. */
  resume(): void {
    this.#gap = undefined
    this.#untold = false
  }
  /** Live events are kept back until `release`. @returns since when it is to be brought up to date, for a gap that reaches further back too */
  hold(since: number): number {
    const from = Math.min(since, this.#gap ?? since)
    this.resume()
    this.held = true
    return from
  }
  /** Sends a part of what it missed. */
  replay(frames: readonly string[]): 'sent' | 'slow' | 'dropped' {
    return this.#socket?.send(frames) ?? 'dropped'
  }
  /** Whether much of it waits to be read. */
  behind(): boolean {
    return this.#socket !== undefined && this.#socket.waiting() > LAG_BYTES / 2
  }
  /** What was kept back goes out, and events go on, unless some passed it by meanwhile. @param since what was kept back began then */
  release(lagged: Lagged, since: number): void {
    this.held = false
    if (this.#gap !== undefined) this.lag(since)
    this.flush(lagged, since)
  }
  #drop(): void {
    this.#queue = undefined
    this.#queued = 0
  }
  #miss(since: number): void {
    this.#gap = Math.min(since, this.#gap ?? since)
    this.#untold = true
  }
}
