import type { Socket } from 'node:net'
import { firstWords } from './messages.ts'

/** A client that has said who it is. */
export type Guest = {
  readonly socket: Socket
  readonly name: string | undefined
  /** What it said so far, for the one who serves it; from then on the socket is that one's to read. */
  readonly take: () => Buffer
}

/** Hears a client's first words; one who speaks another protocol is cut off. */
export const receive = (socket: Socket, arrived: (guest: Guest) => void): void => {
  let said: Buffer = Buffer.alloc(0)
  let known = false
  // Heard on while it waits: who does not read does not learn that it has left.
  const hear = (chunk: Buffer): void => {
    said = Buffer.concat([said, chunk])
    try {
      while (!known) {
        const words = firstWords(said)
        if (words === 'more') return
        if ('asks' in words) {
          said = words.rest
          socket.write('N')
          continue
        }
        known = true
        arrived({
          socket,
          name: words.parameters.get('application_name'),
          take: () => {
            socket.off('data', hear)
            socket.pause()
            return said
          },
        })
      }
    } catch {
      socket.destroy()
    }
  }
  socket.on('data', hear)
}
