import { connect } from 'node:net'

/** Says bytes over TCP and gives what comes back: for requests that no client library would send. */
export const raw = (port: number) => {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  let ended = false
  const heard: (() => void)[] = []
  const tell = () => {
    for (const wake of heard.splice(0)) wake()
  }
  socket.on('data', chunk => {
    text += chunk.toString('latin1')
    tell()
  })
  socket.on('close', () => {
    ended = true
    tell()
  })
  // A reset is an end as well.
  socket.on('error', () => {})
  return {
    say: (bytes: string | Uint8Array) => socket.write(bytes),
    /** Reads nothing until it resumes. */
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    text: () => text,
    /** Waits until the answer is as wanted, or the connection is over. */
    until: async (wanted: (text: string) => boolean): Promise<string> => {
      while (!wanted(text) && !ended) await new Promise<void>(wake => heard.push(wake))
      return text
    },
    end: () => socket.destroy(),
    /** Says FIN, and reads on. */
    finish: () => void socket.end(),
    /** Ends it with RST. */
    reset: () => void socket.resetAndDestroy(),
    ended: () => ended,
  }
}
