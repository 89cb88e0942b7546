import { Stream } from 'node:stream'
import type { LevelIterator } from 'dynalite/db/index.js'

const CHUNK = 100

/**
 * The stream of values that dynalite's Query and Scan listen to, read in chunks. Where dynalite's own goes through a Readable and a promise a value, this one emits
 * straight away; and what a listener throws (a filter that compares what cannot be compared) comes back as an error of the request instead of ending the process.
 */
export function valueStream(iterator: LevelIterator): Stream & { destroy(): void } {
  let stopped = false
  const stream = Object.assign(new Stream(), {
    // dynalite calls it when it has enough.
    destroy: () => {
      stopped = true
    },
  })
  const pump = async () => {
    try {
      while (!stopped) {
        const values = await iterator.nextv(CHUNK)
        if (values.length === 0) break
        for (const value of values) {
          if (stopped) break
          stream.emit('data', value)
        }
      }
      if (!stopped) stream.emit('end')
    } catch (error) {
      stream.emit('error', error)
    } finally {
      await iterator.close()
    }
  }
  void pump()
  return stream
}
