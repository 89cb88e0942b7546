import { span, table } from './table.ts'
import { depthOf, type ProcessView, type QueueView, type View } from './view.ts'
import { wrongIn } from './wrong.ts'

export type Size = { readonly columns: number; readonly rows: number }
export type Look = 'plain' | 'bold' | 'dim' | 'red'
export type Line = { readonly text: string; readonly look: Look }

const plain = (text: string): Line => ({ text, look: 'plain' })
const clock = (at: number) => new Date(at).toISOString().slice(11, 19)
const rate = (n: number) => (n < 100 ? n.toFixed(1) : String(Math.round(n)))

/** What the terminal shows of a mesh: at most so many lines, none longer than the terminal is wide. What is wrong is never left out for tables. */
export const frame = (title: string, view: View, { columns, rows }: Size): readonly Line[] => {
  const wrong = wrongIn(view)
  const keys = `${clock(view.at)}Z  q leaves`
  const head: Line[] = [
    { text: `${cut(title, columns - keys.length - 2).padEnd(columns - keys.length)}${keys}`, look: 'bold' },
    ...(view.told ? rates(view) : [{ text: 'No metrics: name the operations servers with --operations URL', look: 'dim' as const }]),
    plain(''),
  ]
  const problems: Line[] =
    wrong.length === 0 ? [{ text: 'All is well.', look: 'dim' }] : wrong.map(text => ({ text: `! ${text}`, look: 'red' as const }))
  const queues = looked(table(['QUEUE', ' WAITING', ' IN FLIGHT', ' HELD', ' LAG', ' SETTLED/S', ' DEAD'], view.queues.map(queueRow)))
  const processes = looked(table(['PROCESS', ' PID', 'READY', ' RESTARTS', ' CPU', ' MEMORY'], view.processes.map(processRow)))
  const room = rows - head.length - 2
  const shownProblems = fitted(problems, Math.max(3, room - queues.length - processes.length))
  const body = fitted([...queues, plain(''), ...processes], room - shownProblems.length)
  return [...head, ...body, plain(''), ...shownProblems].slice(0, rows).map(line => ({ ...line, text: cut(line.text, columns) }))
}

/** The same as one line, for where no terminal is. */
export const lineOf = (view: View): string => {
  const sum = (of: (q: QueueView) => number) => view.queues.reduce((all, q) => all + of(q), 0)
  const wrong = wrongIn(view)
  const facts = {
    requests: rate(requestsOf(view)),
    turns: rate(view.turns),
    p95: view.p95Ms === undefined ? '-' : span(view.p95Ms).replace(' ', ''),
    events: rate(view.published),
    sockets: String(view.sockets),
    waiting: String(sum(q => depthOf(q)?.waiting ?? 0)),
    inflight: String(sum(q => depthOf(q)?.inFlight ?? 0)),
    dead: String(sum(q => (typeof q.dead === 'number' ? q.dead : 0))),
  }
  const text = Object.entries(facts).map(([name, value]) => `${name}=${value}`)
  return [`${clock(view.at)}Z`, ...text, ...wrong.map(w => `! ${w}`)].join(' ')
}

const requestsOf = ({ requests }: View) => Object.values(requests).reduce((a, b) => a + b, 0)

const rates = (v: View): Line[] => {
  const byStatus = Object.entries(v.requests).flatMap(([status, n]) => (n > 0 ? [`  ${status} ${rate(n)}`] : []))
  const p95 = v.p95Ms === undefined ? '-' : span(v.p95Ms)
  return [
    plain(`requests/s ${rate(requestsOf(v))}${byStatus.join('')}   under way ${v.underWay}, oldest ${span(v.oldestMs)}`),
    plain(`turns/s ${rate(v.turns)}  p95 ${p95}   events/s ${rate(v.published)} published, ${rate(v.heard)} heard`),
    plain([`sockets ${v.sockets}  frames/s ${rate(v.frames)}`, ...v.outside.map(o => `${o.name}/s ${rate(o.rate)}`)].join('   ')),
  ]
}

const queueRow = (q: QueueView): string[] => {
  const depth = depthOf(q)
  return [
    q.queue,
    depth ? String(depth.waiting) : '?',
    depth ? String(depth.inFlight) : '?',
    q.held === undefined ? '' : String(q.held),
    q.lagMs === undefined ? '-' : span(q.lagMs),
    q.rate === undefined ? '' : rate(q.rate),
    typeof q.dead === 'number' ? String(q.dead) : '?',
  ]
}

const processRow = (p: ProcessView): string[] => [
  p.name,
  p.pid === undefined ? '' : String(p.pid),
  p.ready === undefined ? '' : p.ready ? 'yes' : 'NO',
  p.restarts === undefined ? '' : String(p.restarts),
  p.cpu === undefined ? '' : `${Math.round(100 * p.cpu)} %`,
  p.bytes === undefined ? '' : `${Math.round(p.bytes / 1e6)} MB`,
]

const looked = ([title = '', ...rows]: readonly string[]): Line[] => [{ text: title, look: 'dim' }, ...rows.map(plain)]
const cut = (text: string, most: number) => (text.length <= most ? text : `${text.slice(0, Math.max(0, most - 1))}…`)
const fitted = (lines: readonly Line[], most: number): readonly Line[] =>
  lines.length <= most
    ? lines
    : [...lines.slice(0, Math.max(0, most - 1)), { text: `… and ${lines.length - most + 1} more lines`, look: 'dim' }]
