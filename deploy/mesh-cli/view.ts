import type { Part } from './operations.ts'
import { grown, type Labels, pick, quantile, sum } from './prometheus.ts'
import type { Depth, QueueDepth, Sample } from './sample.ts'

export type QueueView = QueueDepth & {
  /** Received and not settled, as the workers say. */
  readonly held: number | undefined
  /** Mean time from sending to receiving (ms) of what was received between the samples; undefined when nothing was. */
  readonly lagMs: number | undefined
  /** Settled a second; undefined when nobody tells. */
  readonly rate: number | undefined
  readonly paused: boolean
}
export type ProcessView = {
  readonly name: string
  readonly pid: number | undefined
  readonly ready: boolean | undefined
  readonly restarts: number | undefined
  /** Of one core, 0 to 1 and more. */
  readonly cpu: number | undefined
  readonly bytes: number | undefined
  readonly wrong: readonly string[]
}
/**
 * Messages since the processes began: sent + redriven = done + dead + in flight, unless one of them began anew.
 * `foreign` are done besides, of types that nobody here has sent: Cognito sends sign-ups.
 */
export type Ledger = {
  readonly sent: number
  readonly redriven: number
  readonly done: number
  readonly foreign: number
  readonly dead: number
}
export type View = {
  readonly at: number
  /** Between the samples. */
  readonly ms: number
  /** Whether anybody tells metrics. */
  readonly told: boolean
  readonly requests: Readonly<Record<'2xx' | '3xx' | '4xx' | '5xx', number>>
  readonly turns: number
  readonly p95Ms: number | undefined
  readonly published: number
  readonly heard: number
  readonly sockets: number
  readonly frames: number
  readonly underWay: number
  readonly oldestMs: number
  /** Tries of work outside (pushes) a second, by queue and outcome: those that there were. */
  readonly outside: readonly { readonly name: string; readonly rate: number }[]
  /** Origins outside that refuse us, whomever we call them for. */
  readonly refusing: readonly string[]
  readonly queues: readonly QueueView[]
  readonly processes: readonly ProcessView[]
  readonly ledger: Ledger
  readonly silent: readonly string[]
  readonly ended: boolean
}

/** What two samples show together. */
export const view = (before: Sample, now: Sample): View => {
  const seconds = Math.max(0.001, (now.at - before.at) / 1000)
  const { metrics } = now.told
  const since = grown(before.told.metrics, metrics)
  const told = metrics.length > 0
  const rate = (name: string, where: Labels = {}) => sum(pick(since, `dailygrind_${name}`, where)) / seconds
  const gauge = (name: string, where: Labels = {}) => sum(pick(metrics, `dailygrind_${name}`, where))
  const answers = pick(since, 'dailygrind_edge_requests_total')
  const answered = (first: string) => sum(answers.filter(s => s.labels.status?.startsWith(first))) / seconds
  const p95 = quantile(0.95, pick(since, 'dailygrind_turn_seconds_bucket'))

  const queueView = (q: QueueDepth): QueueView => {
    const { queue } = q
    const received = sum(pick(since, 'dailygrind_receive_lag_seconds_count', { queue }))
    const actor = queue.replace(/\.fifo$|-events$/, '')
    const holders = now.told.held.filter(h => h.queue === queue)
    const settled = queue.endsWith('.fifo') ? 'messages_handled_total' : 'events_heard_total'
    return {
      ...q,
      held: holders.length > 0 ? holders.reduce((all, h) => all + h.held, 0) : undefined,
      lagMs: received > 0 ? (1000 * sum(pick(since, 'dailygrind_receive_lag_seconds_sum', { queue }))) / received : undefined,
      rate: told ? rate(settled, { actor }) : undefined,
      paused: gauge('polling_paused', { queue }) > 0,
    }
  }
  const tries = pick(since, 'dailygrind_jobs_tried_total')
  const tried = (name: string) => tries.filter(s => outsideName(s.labels) === name)
  const mailboxes = metrics.filter(s => s.labels.queue?.endsWith('.fifo'))
  const sent = pick(metrics, 'dailygrind_messages_sent_total')
  const ours = new Set(sent.map(s => s.labels.type))
  const handled = pick(metrics, 'dailygrind_messages_handled_total').filter(s => s.labels.outcome !== 'repeated')
  return {
    at: now.at,
    ms: now.at - before.at,
    told,
    requests: { '2xx': answered('2'), '3xx': answered('3'), '4xx': answered('4'), '5xx': answered('5') },
    turns: rate('turn_seconds_count'),
    p95Ms: p95 === undefined ? undefined : p95 * 1000,
    published: rate('events_published_total'),
    heard: rate('events_heard_total'),
    sockets: gauge('edge_sockets'),
    frames: rate('edge_frames_total', { frame: 'told' }),
    underWay: gauge('edge_commands_under_way'),
    oldestMs: 1000 * Math.max(0, ...pick(metrics, 'dailygrind_edge_oldest_unanswered_seconds').map(s => s.value)),
    outside: [...new Set(tries.map(s => outsideName(s.labels)))].map(name => ({ name, rate: sum(tried(name)) / seconds })),
    refusing: pick(metrics, 'dailygrind_origin_refusing').flatMap(s => (s.value > 0 ? [s.labels.origin ?? 'unnamed'] : [])),
    queues: now.queues.map(queueView),
    processes: processViews(before, now, seconds),
    ledger: {
      sent: sum(sent),
      redriven: sum(pick(mailboxes, 'dailygrind_messages_redriven_total')),
      done: sum(handled.filter(s => ours.has(s.labels.type))),
      foreign: sum(handled.filter(s => !ours.has(s.labels.type))),
      dead: sum(pick(mailboxes, 'dailygrind_messages_dead_total')),
    },
    silent: now.told.silent,
    ended: now.processes === undefined,
  }
}

const outsideName = ({ queue = 'jobs', outcome = 'tried' }: Labels) => `${queue} ${outcome}`

/** Processes as the data directory, the metrics and the health know them; parts of one process are named with their own health. */
const processViews = (before: Sample, now: Sample, seconds: number): readonly ProcessView[] => {
  const { metrics, parts } = now.told
  const since = grown(before.told.metrics, metrics)
  const label = (s: { labels: Labels; from: string }) => s.labels.process ?? ''
  const running = now.processes ?? []
  const [only] = running
  // Of one process that is everything, or of one whose name nobody knows, the metrics bear no name.
  const alias = (name: string) => (running.length === 1 && only ? only.name : name === '' ? 'process' : name)
  const measured = new Set(pick(metrics, 'process_cpu_seconds_total').map(s => alias(label(s))))
  const of = (name: string, metric: string, from = metrics) => {
    const found = pick(from, metric).filter(s => alias(label(s)) === name)
    return found.length > 0 ? sum(found) : undefined
  }
  const names = [...new Set([...running.map(p => p.name), ...measured, ...parts.map(p => p.name)])]
  return names.map(name => {
    const process = running.find(p => p.name === name)
    const own = parts.filter(p => p.name === name)
    const cpu = of(name, 'process_cpu_seconds_total', since)
    return {
      name,
      pid: process?.pid,
      ready: own.length > 0 ? own.every((p: Part) => p.ok) : undefined,
      restarts: process?.restarts,
      cpu: cpu === undefined ? undefined : cpu / seconds,
      bytes: of(name, 'process_resident_memory_bytes'),
      wrong: own.flatMap(p => p.wrong),
    }
  })
}

export const depthOf = (q: QueueDepth): Depth | undefined => (typeof q.depth === 'string' ? undefined : q.depth)
