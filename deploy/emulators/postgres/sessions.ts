import type { Socket } from 'node:net'
import { type Frame, firstWords, frames, query, texts, welcome } from './messages.ts'

/** Runs whole messages of the protocol, and gives what the database answers. */
export type Execute = (messages: Uint8Array) => Promise<Uint8Array>

type Session = { readonly socket: Socket; readonly channels: Set<string> }
type Unit = { readonly session: Session; readonly bytes: Buffer }

/** What ends a unit: a simple query, and the end of an extended one. The database then says whether it is in a transaction. */
const ENDS = new Set(['Q', 'S'])
const LISTEN = /^(?:\s|--[^\n]*\n)*LISTEN\s+"?(\w+)"?/i

/**
 * Lets many clients share a database that knows one session only: what one of them says up to the end of a query runs as a whole, a transaction runs to its
 * end before anybody else's word, and notifications go to all who listen. Settings and prepared names are everybody's, so clients must do without.
 */
export const sessions = (execute: Execute, version: string) => {
  const waiting: Unit[] = []
  let inTransaction: Session | undefined
  let running = false
  let count = 0
  const open = new Set<Session>()

  const deliver = (session: Session, output: Buffer): void => {
    const answer: Buffer[] = []
    for (const frame of frames(output).whole) {
      if (frame.type === 'A') notify(frame)
      else answer.push(frame.bytes)
      if (frame.type === 'Z') inTransaction = frame.bytes.readUInt8(5) === 'I'.charCodeAt(0) ? undefined : session
    }
    if (!session.socket.destroyed) session.socket.write(Buffer.concat(answer))
  }
  const notify = (frame: Frame): void => {
    // After the process's number comes the channel.
    const channel = frame.bytes.toString('utf8', 9).split('\0')[0] ?? ''
    for (const { socket, channels } of open) if (channels.has(channel)) socket.write(frame.bytes)
  }
  const takeNext = (): Unit | undefined => {
    const at = inTransaction ? waiting.findIndex(unit => unit.session === inTransaction) : 0
    return at < 0 ? undefined : waiting.splice(at, 1)[0]
  }
  const pump = async (): Promise<void> => {
    if (running) return
    running = true
    for (let unit = takeNext(); unit; unit = takeNext()) deliver(unit.session, Buffer.from(await execute(unit.bytes)))
    running = false
  }
  const say = (session: Session, bytes: Buffer): void => {
    waiting.push({ session, bytes })
    void pump()
  }
  const leave = (session: Session): void => {
    open.delete(session)
    for (let i = waiting.length - 1; i >= 0; i--) if (waiting[i]?.session === session) waiting.splice(i, 1)
    // Whatever it is in the middle of, also if its last word is only being worked on: to roll back nothing does no harm.
    say(session, query('ROLLBACK'))
  }

  return (socket: Socket): void => {
    const session: Session = { socket, channels: new Set() }
    let bytes: Buffer = Buffer.alloc(0)
    let begun = false
    let unit: Buffer[] = []
    const hear = (): void => {
      while (!begun) {
        const words = firstWords(bytes)
        if (words === 'more') return
        bytes = words.rest
        begun = !('asks' in words)
        if (begun) socket.write(welcome(++count, version))
        else socket.write('N')
      }
      const { whole, rest } = frames(bytes)
      bytes = rest
      for (const frame of whole) {
        if (frame.type === 'X') return void socket.end()
        if (frame.type === 'Q' || frame.type === 'P') {
          const [, channel] = LISTEN.exec(texts(frame)[frame.type === 'Q' ? 0 : 1] ?? '') ?? []
          if (channel) session.channels.add(channel.toLowerCase())
        }
        unit.push(frame.bytes)
        if (!ENDS.has(frame.type)) continue
        say(session, Buffer.concat(unit))
        unit = []
      }
    }
    open.add(session)
    socket.setNoDelay(true)
    socket.on('data', chunk => {
      bytes = Buffer.concat([bytes, chunk])
      try {
        hear()
      } catch {
        // Not the protocol.
        socket.destroy()
      }
    })
    // Told by `close`, which follows.
    socket.on('error', () => {})
    socket.on('close', () => leave(session))
  }
}
