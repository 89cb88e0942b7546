import { CLOSE } from '../../contracts/frames.ts'
import { type EdgeRequest, MOST_BYTES, type Socket, type Sockets } from '../request/request.ts'

/** Characters of frames that may wait until it is decided who said them; a frame counts as some, too. Clients that wait for the greeting say none. */
const MAX_EARLY_CHARACTERS = MOST_BYTES
const FRAME = 1024
type Frame = string | null

/** What is kept of a socket, which is open before it is decided who it belongs to (decision 0028). */
export class Connection<V> {
  readonly #sockets: Sockets<V>
  #socket: Socket | undefined
  #visitor: { readonly known: V } | undefined
  #early: Frame[] | undefined
  #waiting = 0
  constructor(sockets: Sockets<V>) {
    this.#sockets = sockets
  }
  async open(socket: Socket, request: EdgeRequest): Promise<void> {
    this.#socket = socket
    const known = await this.#sockets.accept(request)
    if (this.#socket === undefined) return this.#sockets.abandoned(known)
    this.#visitor = { known }
    this.#sockets.opened(known, socket)
    // One of them may end it.
    for (const frame of this.#early ?? []) if (this.#socket !== undefined) this.#sockets.message(known, frame)
    this.#early = undefined
  }
  hear(frame: Frame): void {
    if (this.#visitor) return void this.#sockets.message(this.#visitor.known, frame)
    this.#early ??= []
    this.#early.push(frame)
    this.#waiting += FRAME + (frame?.length ?? 0)
    if (this.#waiting > MAX_EARLY_CHARACTERS + FRAME) this.#socket?.close(CLOSE.budget, 'too much was said before the greeting')
  }
  alive(): void {
    if (this.#visitor) this.#sockets.alive(this.#visitor.known)
  }
  writable(): void {
    if (this.#visitor) this.#sockets.writable(this.#visitor.known)
  }
  gone(): void {
    this.#socket = undefined
    this.#early = undefined
    if (this.#visitor) this.#sockets.closed(this.#visitor.known)
  }
}
