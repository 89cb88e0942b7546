import { errorMessage } from '../../actors/kernel/ports/errors/error-message.ts'
import { missingRoute } from '../../actors/kernel/ports/events/routes.ts'
import { mesh as product } from '../../contracts/mesh.ts'
import type { OpenMesh } from './open.ts'
import { sample } from './sample.ts'
import { counted, span, table } from './table.ts'
import { depthOf, type Ledger, type ProcessView, type QueueView, type View, view } from './view.ts'
import { wrongIn } from './wrong.ts'

/** Long enough for a few messages to come by. */
const BETWEEN_MS = 1_000
const ASK_MS = 5_000

/** Engines that queues do not show, by name. `unknown`: cannot be reached from here by design, which is nothing wrong. */
export type Engines = Readonly<Record<string, 'ok' | { readonly down: string } | { readonly unknown: string }>>
type Engine = Engines[string]

/** @returns the exit code: 1 when something is wrong */
export const status = async (mesh: OpenMesh, say: (line: string) => void): Promise<number> => {
  const before = await sample(mesh)
  const engines = askEngines(mesh)
  await mesh.clock.sleep(BETWEEN_MS)
  const shown = view(before, await sample(mesh))
  const { lines, ok } = statusLines(mesh.title, shown, await engines, mesh.operations.length > 0, mesh.flags)
  for (const line of lines) say(line)
  return ok ? 0 : 1
}

const askEngines = async (mesh: OpenMesh): Promise<Engines> => {
  const { store, backplane } = mesh
  const tables = product
    .topology('')
    .tables.map(table => ask(mesh, `table ${table}`, () => store.get([{ table, pk: 'health', sk: 'health' }])))
  const routes = ask(mesh, 'routes of events', async () => {
    const missing = await mesh.findMissingRoutes()
    if (missing.length > 0) throw new Error(missing.map(m => missingRoute(m.name)).join('; '))
  })
  return { ...Object.fromEntries(await Promise.all([...tables, routes])), backplane: backplaneState(backplane) }
}

const ask = async ({ clock }: Pick<OpenMesh, 'clock'>, name: string, work: () => Promise<unknown>): Promise<[string, Engine]> => {
  const bound = new AbortController()
  try {
    const late = clock.sleep(ASK_MS, bound.signal).then(() => Promise.reject(new Error(`no answer within ${ASK_MS} ms`)))
    late.catch(() => {})
    await Promise.race([work(), late])
    return [name, 'ok']
  } catch (error) {
    return [name, { down: errorMessage(error) }]
  } finally {
    bound.abort()
  }
}

const backplaneState = (backplane: OpenMesh['backplane']): Engine => {
  if ('none' in backplane) return { unknown: backplane.none }
  if ('unfit' in backplane) return { down: backplane.unfit }
  const { error } = backplane.health()
  return error === null ? 'ok' : { down: error }
}
const stateOf = (engine: Engine): string => (engine === 'ok' ? 'ok' : 'down' in engine ? 'DOWN' : `not known (${engine.unknown})`)

/** What an operator reads. @param known whether there are operations servers to ask. @param flags what leads to the mesh from a command */
export const statusLines = (
  title: string,
  shown: View,
  engines: Engines,
  known: boolean,
  flags = '',
): { readonly lines: readonly string[]; readonly ok: boolean } => {
  const broken = Object.entries(engines).flatMap(([name, engine]) =>
    engine !== 'ok' && 'down' in engine ? [`${name}: ${engine.down}`] : [],
  )
  const wrong = [...wrongIn(shown, flags), ...broken]
  const restarted = shown.processes.filter(p => (p.restarts ?? 0) > 0)
  return {
    ok: wrong.length === 0,
    lines: [
      title,
      '',
      ...table(['QUEUE', ' WAITING', ' IN FLIGHT', ' LAG', ' SETTLED/S', ' DEAD'], shown.queues.map(queueRow)),
      '',
      ...(known
        ? [...table(['PROCESS', ' PID', 'READY', ' RESTARTS', ' CPU', ' MEMORY'], shown.processes.map(processRow)), '']
        : ['Processes: not known, name their operations servers with --operations URL', '']),
      `Engines: ${Object.entries(engines)
        .map(([name, engine]) => `${name} ${stateOf(engine)}`)
        .join(', ')}`,
      ...(shown.told ? [ledgerLine(shown.ledger, restarted.length > 0)] : []),
      `LAG is from sending to receiving, the mean of what was received in the last ${span(shown.ms)}; "-" is nothing. SQS tells the age of the oldest message only through CloudWatch.`,
      '',
      ...(wrong.length === 0
        ? ['All is well.']
        : [`${counted(wrong.length, 'thing is', 'things are')} wrong:`, ...wrong.map(w => `  ${w}`)]),
      ...restarted.map(p => `  (${p.name} was started again ${counted(p.restarts ?? 0, 'time')})`),
    ],
  }
}

const queueRow = (q: QueueView): string[] => {
  const depth = depthOf(q)
  return [
    q.queue,
    depth ? String(depth.waiting) : '?',
    depth ? String(depth.inFlight) : '?',
    q.lagMs === undefined ? '-' : span(q.lagMs),
    q.rate === undefined ? '?' : q.rate.toFixed(1),
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

const ledgerLine = ({ sent, redriven, done, foreign, dead }: Ledger, began: boolean): string => {
  const open = sent + redriven - done - dead
  const besides = foreign > 0 ? `, and ${foreign} done that came from outside, as sign-ups do` : ''
  const against = began ? '; counters began anew with processes that were started again, so this need not add up' : ''
  return `Commands since the start: ${sent} sent, ${redriven} redriven, ${done} done, ${dead} dead, so ${open} under way${besides}${against}`
}
