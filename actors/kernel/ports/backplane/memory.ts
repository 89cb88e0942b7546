import type { Reply } from '../../../../contracts/declare/envelope.ts'
import type { Clock } from '../clock/port.ts'
import type { Span } from '../tracing/span.ts'
import { MAX_SPANS, PRESENCE_SECONDS, REFRESH_MS, REPLY_SECONDS, TRACE_SECONDS } from './limits.ts'
import type { Backplane, EdgeListener } from './port.ts'

/** What the processes of one mesh share. */
export type MemoryHub = ReturnType<typeof memoryHub>
export const memoryHub = () => ({
  replies: expiring<Reply>(),
  spans: expiring<Span[]>(),
  edges: new Map<string, EdgeListener>(),
  /** user -> edge -> until (as the clock’s `elapsed`) */
  here: new Map<string, Map<string, number>>(),
})

/**
 * A backplane in this process. Those that share a hub hear each other, as processes on one Redis do; closing one is the death of its process:
 * its edges hear nothing more, and are forgotten after 90 s. What listeners throw is nobody's to catch.
 */
export const memoryBackplane = ({ clock, hub = memoryHub() }: { clock: Clock; hub?: MemoryHub }): Backplane => {
  const seats = new Set<() => void>()
  const until = (seconds: number) => clock.elapsed() + seconds * 1000

  const join: Backplane['join'] = async (edge, listener) => {
    const users = new Set<string>()
    const arrive = (user: string) => {
      const edges = hub.here.get(user) ?? new Map<string, number>()
      hub.here.set(user, edges.set(edge, until(PRESENCE_SECONDS)))
    }
    const go = (user: string) => {
      const edges = hub.here.get(user)
      edges?.delete(edge)
      if (edges?.size === 0) hub.here.delete(user)
    }
    const refreshing = clock.every(REFRESH_MS, () => users.forEach(arrive))
    const end = () => {
      refreshing.stop()
      seats.delete(end)
      // Unless another took the name meanwhile.
      if (hub.edges.get(edge) === listener) hub.edges.delete(edge)
    }
    hub.edges.set(edge, listener)
    seats.add(end)
    return {
      present: async user => {
        users.add(user)
        arrive(user)
      },
      absent: async user => {
        users.delete(user)
        go(user)
      },
      leave: async () => {
        end()
        users.forEach(go)
        users.clear()
      },
    }
  }
  const tell = (edge: string, what: (listener: EdgeListener) => void) => {
    // Not within the caller's turn, and to whoever listens by then.
    queueMicrotask(() => {
      const listener = hub.edges.get(edge)
      if (listener) what(listener)
    })
  }

  return {
    reply: async (edge, command, reply, kept = false) => {
      if (!kept) hub.replies.set(command, reply, until(REPLY_SECONDS), clock.elapsed())
      const heard = hub.edges.has(edge)
      tell(edge, listener => listener.reply(command, reply, kept))
      return heard
    },
    replyOf: async command => hub.replies.get(command, clock.elapsed()),
    forgetReply: async command => hub.replies.delete(command),
    join,
    online: async users => {
      const now = clock.elapsed()
      const found = new Map<string, readonly string[]>()
      for (const user of users) {
        const edges = [...(hub.here.get(user) ?? [])].filter(([, until]) => until > now).map(([edge]) => edge)
        if (edges.length > 0) found.set(user, edges)
      }
      return found
    },
    deliver: async (edge, frames) =>
      tell(edge, listener => {
        for (const frame of frames) listener.live(frame)
      }),
    trace: async span => {
      const spans = hub.spans.get(span.request, clock.elapsed())
      if (spans === undefined) hub.spans.set(span.request, [span], until(TRACE_SECONDS), clock.elapsed())
      else if (spans.length < MAX_SPANS) spans.push(span)
    },
    spans: async request => hub.spans.get(request, clock.elapsed()) ?? [],
    health: () => ({ ok: true, reachable: true, error: null }),
    close: async () => {
      for (const end of seats) end()
    },
  }
}

/** Values that are gone at their time; all of them live equally long, so the first to go is the first that was set. */
const expiring = <V>() => {
  const entries = new Map<string, { readonly value: V; readonly until: number }>()
  return {
    get: (key: string, now: number): V | undefined => {
      const entry = entries.get(key)
      return entry && entry.until > now ? entry.value : undefined
    },
    set: (key: string, value: V, until: number, now: number) => {
      for (const [old, entry] of entries) {
        if (entry.until > now) break
        entries.delete(old)
      }
      entries.delete(key)
      entries.set(key, { value, until })
    },
    delete: (key: string): void => void entries.delete(key),
  }
}
