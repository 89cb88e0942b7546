import { Counter, Gauge, Histogram, type Registry, register } from 'prom-client'

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20]

/** What the edge counts. @param state read when the metrics are */
export const edgeMetrics = (
  state: { readonly sockets: () => number; readonly oldestMs: () => number; readonly underWay: () => number },
  registry: Registry = register,
) => {
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `dailygrind_edge_${name}`,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  gauge('sockets', 'Sockets that are open', state.sockets)
  gauge('oldest_unanswered_seconds', 'How long the command has waited that has waited longest for its reply', () => state.oldestMs() / 1000)
  gauge('commands_under_way', 'Commands that are being taken, or wait for their replies', state.underWay)
  const requests = new Counter({
    name: 'dailygrind_edge_requests_total',
    help: 'Requests answered',
    labelNames: ['route', 'status'],
    registers,
  })
  const frames = new Counter({
    name: 'dailygrind_edge_frames_total',
    help: 'Frames of the stream: from clients by what they ask, to clients by what became of them',
    labelNames: ['frame'],
    registers,
  })
  const seconds = new Histogram({
    name: 'dailygrind_edge_request_seconds',
    help: 'From a whole request to its answer',
    labelNames: ['kind'],
    buckets: SECONDS,
    registers,
  })
  // Looking labels up costs more than counting: there are only so many, so each is looked up once.
  const answers = remembered((route: string, status: number) => requests.labels({ route, status: String(status) }))
  const told = remembered((frame: string) => frames.labels({ frame }))
  return {
    /** @param route the route's template, never a path */
    answered: (route: string, kind: 'read' | 'write', status: number, ms: number): void => {
      answers(route, status).inc()
      seconds.observe({ kind }, ms / 1000)
    },
    frame: (frame: 'send' | 'auth' | 'resume' | 'told' | 'lagged', count = 1): void => told(frame, 0).inc(count),
  }
}
const remembered = <T>(make: (name: string, number: number) => T) => {
  const made = new Map<string, T>()
  return (name: string, number: number): T => {
    const key = `${name} ${number}`
    const known = made.get(key)
    if (known !== undefined) return known
    const fresh = make(name, number)
    made.set(key, fresh)
    return fresh
  }
}
export type EdgeMetrics = ReturnType<typeof edgeMetrics>
