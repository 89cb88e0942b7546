import type { Logger } from 'pino'
import type { Clock } from '../ports/clock/port.ts'
import type { FindMissingRoutes, MissingRoute } from '../ports/events/routes.ts'
import type { Metrics } from './metrics.ts'

export type RouteWatch = {
  /** What was missing at the last look; nothing as long as nothing is known. @param actor only what it hears or says; absent: everything */
  readonly missing: (actor?: string) => readonly string[]
  readonly stop: () => void
}

/** How late a loss may be known. Amazon SNS lists subscriptions 30 times a second for an account, which is enough for dozens of processes. */
const LOOK_INTERVAL_MS = 5_000

/**
 * Looks every few seconds whether events can still come to those who hear them. Nobody who sends or hears would notice a subscription that somebody removed:
 * the topic takes every event, and the queue is only quiet.
 */
export const watchRoutes = (
  find: FindMissingRoutes,
  {
    clock,
    log,
    metrics,
  }: { readonly clock: Pick<Clock, 'every'>; readonly log: Pick<Logger, 'warn' | 'error' | 'info'>; readonly metrics: Metrics },
): RouteWatch => {
  let missing: readonly MissingRoute[] = []
  let looking = false
  let blind = false

  const tell = (found: readonly MissingRoute[]) => {
    const before = new Set(missing.map(m => m.name))
    const now = new Set(found.map(m => m.name))
    for (const route of now) {
      metrics.missingRoutes.set({ route }, 1)
      if (!before.has(route)) log.error({ route }, 'events do not arrive: a route of theirs is not there; npm run provision puts it back')
    }
    for (const route of before)
      if (!now.has(route)) {
        metrics.missingRoutes.set({ route }, 0)
        log.info({ route }, 'a route of events is there again')
      }
    missing = found
  }
  const look = async () => {
    if (looking) return
    looking = true
    try {
      tell(await find())
      blind = false
    } catch (err) {
      // What cannot be asked is not missing, and what was missing still is.
      if (!blind) log.warn({ err }, 'whether events can arrive cannot be asked')
      blind = true
    } finally {
      looking = false
    }
  }
  void look()
  const { stop } = clock.every(LOOK_INTERVAL_MS, () => void look())
  const concerns = (actor: string) => (m: MissingRoute) => m.topic === actor || m.queue === `${actor}-events`
  return { missing: actor => (actor === undefined ? missing : missing.filter(concerns(actor))).map(m => m.name), stop }
}
