import { WebSocket } from 'ws'
import type { Client } from '../../contracts/client/client.ts'
import type { StreamEvent, Told } from '../../contracts/client/stream.ts'
import { EventFrame, Lagged } from '../../contracts/frames.ts'
import type { StreamEvents, StreamEventType } from '../../contracts/stream.ts'
import { soon, until } from '../until.ts'

const isOf = <E extends StreamEventType>(type: E, event: StreamEvent): event is StreamEvent & Told<E> => event.type === type

/** A device that listens. `raw` counts every event frame that came over the wire by its id, repeats included. */
export const listen = async (client: Client) => {
  const heard: StreamEvent[] = []
  const raw = new Map<string, number>()
  const nonsense: string[] = []
  let resets = 0
  let losses = 0
  class Overheard extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols)
      this.on('message', text => {
        const said: unknown = JSON.parse(String(text))
        // It may have missed something, and resumes as after a lost connection.
        if (Lagged.safeParse(said).success) losses += 1
        const frame = EventFrame.safeParse(said)
        if (frame.success) raw.set(frame.data.id, (raw.get(frame.data.id) ?? 0) + 1)
      })
    }
  }
  const stream = client.stream({
    WebSocket: Overheard,
    onEvent: event => heard.push(event),
    onError: error => nonsense.push(String(error)),
    onReset: () => {
      resets += 1
    },
    onConnection: state => {
      if (state === 'lost') losses += 1
    },
  })
  await soon('a device is told hello on its socket', stream.ready)
  return {
    heard,
    raw,
    /** Frames that the contract does not know. */
    nonsense,
    stream,
    resets: () => resets,
    losses: () => losses,
    /** Waits for an event of a type that answers to `is`. */
    hears: <E extends StreamEventType>(type: E, is: (data: StreamEvents[E]) => boolean = () => true) =>
      until(`a device hears ${type}`, () => heard.filter(e => isOf(type, e)).find(e => is(e.data))),
  }
}
export type Ears = Awaited<ReturnType<typeof listen>>
