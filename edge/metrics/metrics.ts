import { Counter, Gauge, type Registry, register } from 'prom-client'
import type { ServerReason } from '../server/load-failure.ts'

/** What the edge counts. @param mesh its name stands before those of the metrics. @param state read when the metrics are */
export const edgeMetrics = (
  mesh: string,
  state: { readonly sockets: () => number; readonly oldestMs: () => number; readonly underWay: () => number },
  registry: Registry = register,
) => {
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `${mesh}_edge_${name}`,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  gauge('sockets', 'Sockets that are open', state.sockets)
  gauge('oldest_unanswered_seconds', 'How long the command has waited that has waited longest for its reply', () => state.oldestMs() / 1000)
  gauge('commands_under_way', 'Commands that are being taken, or wait for their replies', state.underWay)
  const answers = tally(`${mesh}_edge_requests_total`, 'Requests answered', ['route', 'status'], registers)
  const frames = tally(
    `${mesh}_edge_frames_total`,
    'Frames of the stream: from clients by what they ask, to clients by what became of them',
    ['frame'],
    registers,
  )
  return {
    /** @param route the route's template, never a path */
    answered: (route: string, status: number): void => answers(`${route}\n${status}`, 1),
    frame: (frame: 'send' | 'auth' | 'resume' | 'told' | 'lagged', count = 1): void => frames(frame, count),
  }
}

/** Tells which library serves, and why: one of few reasons, as each is a series of its own. */
export const servedBy = (mesh: string, server: string, why: ServerReason, registry: Registry = register): void =>
  new Gauge({
    name: `${mesh}_edge_server`,
    help: 'The library that serves: 1 under its name',
    labelNames: ['server', 'why'],
    registers: [registry],
  }).set({ server, why }, 1)

/** Counts in a plain map, which costs less than the library's labels, and hands over when somebody looks. Label values are joined by line breaks. */
const tally = (name: string, help: string, labels: readonly string[], registers: Registry[]) => {
  const counts = new Map<string, number>()
  new Counter({
    name,
    help,
    labelNames: labels,
    registers,
    collect() {
      for (const [key, count] of counts) this.labels(...key.split('\n')).inc(count)
      counts.clear()
    },
  })
  return (key: string, count: number): void => {
    counts.set(key, (counts.get(key) ?? 0) + count)
  }
}
export type EdgeMetrics = ReturnType<typeof edgeMetrics>
