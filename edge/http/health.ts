import { deadline } from '../../actors/kernel/ports/clock/deadline.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { Ports } from '../../actors/kernel/process/ports.ts'
import type { Mesh } from '../../contracts/derive/mesh.ts'

/** `ok` and `degraded` serve, the others do not. */
type Status = 'starting' | 'ok' | 'degraded' | 'unavailable' | 'draining'
export type EdgeHealth = {
  readonly ok: boolean
  readonly status: Status
  readonly dependencies: Readonly<Record<string, { readonly status: 'ok' | 'down' }>>
}
export type Phase = 'starting' | 'serving' | 'draining'

/** How long one look at the engines is good for: health is asked often and by several. */
const FRESH_MS = 2_000
const PROBE_MS = 2_000

export type HealthOptions = Pick<Ports, 'store' | 'mailbox' | 'backplane'> & {
  readonly mesh: Mesh
  readonly clock: Clock
  /** Whether tokens can be verified. */
  readonly keys: () => boolean
  readonly phase: () => Phase
  /** What is missing of the routes of events: people are answered, and not told. */
  readonly missingRoutes: () => readonly string[]
  readonly log: (dependency: string, error: unknown) => void
}

/** Whether this process can serve: every mailbox, every table and the keys are needed, the backplane only makes answers quicker. */
export const health = ({ mesh, store, mailbox, backplane, clock, keys, phase, missingRoutes, log }: HealthOptions) => {
  const { tables, mailboxes } = mesh.topology('')
  const probes: [string, () => Promise<unknown>][] = [
    ...mailboxes.map(({ queue }): [string, () => Promise<unknown>] => [`mailbox ${queue}`, () => mailbox.depth(queue)]),
    ...tables.map((table): [string, () => Promise<unknown>] => [
      `table ${table}`,
      () => store.get([{ table, pk: 'health', sk: 'health' }]),
    ]),
  ]
  const late = () => {
    throw new Error(`no answer within ${PROBE_MS} ms`)
  }
  const look = async (): Promise<[string, boolean][]> =>
    Promise.all(
      probes.map(async ([name, probe]): Promise<[string, boolean]> => {
        try {
          await deadline(clock, PROBE_MS).race(probe(), late)
          return [name, true]
        } catch (error) {
          log(name, error)
          return [name, false]
        }
      }),
    )
  let looked: { at: number; found: Promise<[string, boolean][]> } | undefined
  return async (): Promise<EdgeHealth> => {
    if (!looked || clock.elapsed() - looked.at >= FRESH_MS) looked = { at: clock.elapsed(), found: look() }
    const needed: [string, boolean][] = [...(await looked.found), ['keys', keys()]]
    const all: [string, boolean][] = [
      ...needed,
      ['backplane', backplane.health().ok],
      ...missingRoutes().map((name): [string, boolean] => [name, false]),
    ]
    const able = needed.every(([, ok]) => ok)
    const serving = able ? (all.every(([, ok]) => ok) ? 'ok' : 'degraded') : 'unavailable'
    const now = phase()
    return {
      ok: now === 'serving' && able,
      status: now === 'serving' ? serving : now,
      dependencies: Object.fromEntries(all.map(([name, ok]) => [name, { status: ok ? ('ok' as const) : ('down' as const) }])),
    }
  }
}
