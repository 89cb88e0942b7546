import { parseArgs } from 'node:util'

export const SCENARIOS = ['smoke', 'morning-rush', 'timeline-scroll', 'socket-storm'] as const
export type Scenario = (typeof SCENARIOS)[number]

export type Flags = {
  readonly scenario: Scenario
  /** Of a mesh that runs; without it one is started. */
  readonly url: string | undefined
  readonly k6: string | undefined
  readonly out: string
  /** What the scenario is told, by the names of `k6/settings.ts`. */
  readonly size: Readonly<Record<string, string>>
}

export const HELP = `Puts a mesh under load with k6 and says whether it kept its promises.

  npm run load -- <scenario> [flags]

  smoke             one publishes, two see, like, discuss, edit, delete: CI runs this
  morning-rush      everybody posts within two minutes, all are connected
  timeline-scroll   people read their timelines to the end, page by page
  socket-storm      devices connect, hear, drop, come back

  --url URL         a mesh that runs; without it one is started that keeps nothing
  --vus N           how many virtual users work at once
  --people N        how many people there are (morning-rush, timeline-scroll)
  --duration TIME   how long, as 30s or 5m, 50m at most: tokens are good for an hour
  --out DIR         where the HTML report goes (default load-tests/reports)
  --k6 PATH         the k6 to use (default: of the PATH, or of Go's bin)
  --help            this

The exit code is k6's: 0 when all thresholds held, 99 when one broke; 2 when the run could not begin.
`

/** A flag that is wrong; the message names it. */
export class BadFlag extends Error {
  override readonly name = 'BadFlag'
}

/** More people than one machine should sign up at a pool. */
const MOST_PEOPLE = 5_000
const MOST_VUS = 1_000
const MOST_SECONDS = 50 * 60

const whole = (flag: string, text: string, most: number): string => {
  if (!/^[1-9]\d*$/.test(text) || Number(text) > most) throw new BadFlag(`--${flag} takes 1 to ${most}, not ${JSON.stringify(text)}`)
  return text
}
const seconds = (text: string): string => {
  const [, n = '', unit = ''] = /^(\d+)(s|m)$/.exec(text) ?? []
  const value = Number(n) * (unit === 'm' ? 60 : 1)
  if (!(value >= 1 && value <= MOST_SECONDS))
    throw new BadFlag(`--duration takes a time such as 30s or 5m, 50m at most, not ${JSON.stringify(text)}`)
  return String(value)
}
const address = (text: string): string => {
  if (!/^https?:$/.test(URL.canParse(text) ? new URL(text).protocol : ''))
    throw new BadFlag(`--url takes an http address, not ${JSON.stringify(text)}`)
  return text
}

const parsed = (args: readonly string[]) => {
  const option = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        url: option,
        vus: option,
        people: option,
        duration: option,
        out: option,
        k6: option,
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new BadFlag(error instanceof Error ? error.message : String(error))
  }
}

/** @returns undefined where help is asked for. @throws BadFlag */
export const readFlags = (args: readonly string[]): Flags | undefined => {
  const { values, positionals } = parsed(args)
  if (values.help) return undefined
  const scenario = SCENARIOS.find(name => name === positionals[0])
  if (scenario === undefined || positionals.length > 1)
    throw new BadFlag(`one scenario is needed, of ${SCENARIOS.join(', ')}; given: ${positionals.join(' ') || 'none'}`)
  const { url, vus, people, duration } = values
  return {
    scenario,
    url: url === undefined ? undefined : address(url),
    k6: values.k6,
    out: values.out ?? 'load-tests/reports',
    size: {
      ...(vus === undefined ? {} : { VUS: whole('vus', vus, MOST_VUS) }),
      ...(people === undefined ? {} : { PEOPLE: whole('people', people, MOST_PEOPLE) }),
      ...(duration === undefined ? {} : { SECONDS: seconds(duration) }),
    },
  }
}
