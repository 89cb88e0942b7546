import type { Reads, Writes } from '../../contracts/client/request.ts'

type Said = Writes | Reads

/**
 * What every run must hold; k6 exits with 99 when one does not.
 * @param limits what the scenario says to the mesh, and the milliseconds within which 95 of 100 answers must come
 * @param visibleMs within which 95 of 100 deliveries must be seen
 */
export const thresholds = (limits: Partial<Record<Said, number>>, visibleMs: number): Record<string, string[]> => ({
  failures: ['rate<0.001'],
  lost: ['count<1'],
  doubled: ['count<1'],
  // a run in which nothing was to be seen proves nothing
  deliveries_seen: ['count>0'],
  'time_to_visible{by:socket}': [`p(95)<${visibleMs}`],
  'time_to_visible{by:timeline}': [`p(95)<${visibleMs}`],
  time_to_hello: ['p(95)<5000'],
  ...Object.fromEntries(Object.entries(limits).map(([type, ms]) => [`http_req_duration{name:${type}}`, [`p(95)<${ms}`]])),
})

/** What the summary shows of a distribution. */
export const SHOWN = ['count', 'med', 'p(95)', 'p(99)', 'max']
/** Long enough for people to sign up and become friends on a busy machine. */
export const SETUP = '10m'
