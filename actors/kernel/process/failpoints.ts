import type { EventBus } from '../ports/events/port.ts'

/** The places of a turn where a test may make it fail. */
export const FAILPOINTS = [
  'after-claim',
  'after-receive',
  'after-load',
  'after-decide',
  'after-commit',
  'mid-publish',
  'before-ack',
] as const
type FailpointName = (typeof FAILPOINTS)[number]
/** Called at each place; returns at once unless a fault is armed there. */
export type Failpoint = (point: FailpointName) => void | Promise<void>
export const NO_FAILPOINT: Failpoint = () => {}

type Armed = {
  readonly point: FailpointName
  readonly action: 'kill' | 'throw' | 'stall'
  readonly ms: number
  readonly from: number
  readonly every: boolean
}

const parse = (text: string): Armed => {
  const match = /^([a-z-]+)=(kill|throw|stall)(?::(\d+))?(?:@(\d+)(\+)?)?$/.exec(text)
  const point = FAILPOINTS.find(p => p === match?.[1])
  if (!match || !point)
    throw new Error(
      `FAILPOINTS: cannot read ${JSON.stringify(text)}; like after-commit=kill@3, mid-publish=throw, before-ack=stall:2000@1+; points are ${FAILPOINTS.join(', ')}`,
    )
  const [, , action, ms = '1000', from = '1', every] = match
  return { point, action: action as Armed['action'], ms: Number(ms), from: Number(from), every: every === '+' }
}

/**
 * Arms failpoints from text: `point=action[:ms][@n][+]`, comma-separated. Fires at the n-th time that the point is reached (default the first), with `+`
 * at every later time too. `kill` ends the process with SIGKILL, `throw` throws, `stall` waits.
 * @throws an error naming what it cannot read
 */
export const failpoints = (text: string, sleep: (ms: number) => Promise<void>): Failpoint => {
  const armed = text.split(',').filter(Boolean).map(parse)
  if (armed.length === 0) return NO_FAILPOINT
  const reached = new Map<FailpointName, number>()
  return async point => {
    const times = (reached.get(point) ?? 0) + 1
    reached.set(point, times)
    for (const a of armed) {
      if (a.point !== point || (a.every ? times < a.from : times !== a.from)) continue
      if (a.action === 'kill') process.kill(process.pid, 'SIGKILL')
      if (a.action === 'stall') await sleep(a.ms)
      if (a.action === 'throw') throw new Error(`failpoint ${point}`)
    }
  }
}

/** An event bus that may fail between the events of a batch: the first goes out alone, so that there is a between. Without failpoints it is the bus itself. */
export const failMidPublish = (bus: EventBus, failpoint: Failpoint): EventBus => {
  if (failpoint === NO_FAILPOINT) return bus
  return {
    publish: async events => {
      const rest = events.slice(1)
      if (rest.length > 0) await bus.publish(events.slice(0, 1))
      await failpoint('mid-publish')
      await bus.publish(rest.length > 0 ? rest : events)
    },
  }
}
