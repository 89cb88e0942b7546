import type { Place } from './command.ts'
import type { Socket } from './request.ts'

/** Bytes that may wait for a slow reader before its events stop; below the library's own limit, so that what says so still gets through. */
const LAG_BYTES = 262_144

const NOBODY = Promise.resolve()

/** One connected device: whose, how fresh its token, and what waits to be sent. A class, as thousands of them lie idle and each closure would count. */
export class Device {
  readonly user: string
  /** Where its requests come from, for the budgets. */
  readonly connection: string
  /** Epoch ms: until when the token is good, when it last gave a sign of life, when it was last pinged. */
  until: number
  seen: number
  pinged: number
  lagged = false
  /** Live events wait while it is brought up to date. */
  held = false
  #socket: Socket | undefined
  #queue: Uint8Array[] | undefined
  #queued = 0
  /** Told once when its events stop. */
  #untold = false
  #line: Promise<void> = NOBODY

  constructor(user: string, connection: string, until: number, now: number) {
    this.user = user
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
  /** Queues an event. @returns whether it was, which it is not once the device lags */
  hear(frame: Uint8Array): boolean {
    if (this.#socket === undefined || this.lagged) return false
    if (this.#queue === undefined) this.#queue = [frame]
    else this.#queue.push(frame)
    this.#queued += frame.length
    if (this.#queued > LAG_BYTES) this.#lag()
    return true
  }
  /** Sends what was queued as one packet. @param lagged the frame that tells the device that its events stop */
  flush(lagged: () => string): void {
    if (this.held && !this.lagged) return
    const queue = this.#queue
    this.#queue = undefined
    this.#queued = 0
    if (this.#socket === undefined) return
    if (queue !== undefined && queue.length > 0) {
      const result = this.#socket.send(queue)
      if (result === 'dropped' || (result === 'slow' && this.#socket.waiting() > LAG_BYTES)) this.#lag()
    }
    this.tellLag(lagged)
  }
  /** Says that events have stopped, once there is room to say it. */
  tellLag(lagged: () => string): void {
    if (this.#untold && this.#socket?.send([lagged()]) !== 'dropped') this.#untold = false
  }
  /** Events go on. */
  resume(): void {
    this.lagged = false
    this.#untold = false
  }
  /** Live events are kept back until `release`. */
  hold(): void {
    this.resume()
    this.held = true
  }
  /** Sends a part of what it missed. */
  replay(frames: readonly string[]): 'sent' | 'slow' | 'dropped' {
    return this.#socket?.send(frames) ?? 'dropped'
  }
  /** Whether much of it waits to be read. */
  behind(): boolean {
    return this.#socket !== undefined && this.#socket.waiting() > LAG_BYTES / 2
  }
  /** What was kept back goes out, and events go on. */
  release(lagged: () => string): void {
    this.held = false
    this.flush(lagged)
  }
  /** It did not keep up: its events stop until it resumes. */
  lag(lagged: () => string): void {
    this.held = false
    this.#lag()
    this.tellLag(lagged)
  }
  #lag(): void {
    this.lagged = true
    this.#untold = true
  }
}
