/** What the runner (or `k6 run -e`) tells a scenario. */

const count = (name: string, usual: number): number => {
  const text = __ENV[name]
  if (text === undefined || text === '') return usual
  const n = Number(text)
  if (!Number.isInteger(n) || n < 1) throw new Error(`${name} takes a whole number from 1, not ${JSON.stringify(text)}`)
  return n
}

export const baseUrl = (__ENV.BASE_URL ?? 'http://127.0.0.1:3000').replace(/\/+$/, '')

/** Where the HTML report goes; none is written without it. */
export const report = __ENV.REPORT ?? ''

/** How many virtual users work at once, how many people there are, and for how many seconds. */
export const size = (usual: { vus: number; people: number; seconds: number }) => ({
  vus: count('VUS', usual.vus),
  people: count('PEOPLE', usual.people),
  seconds: count('SECONDS', usual.seconds),
})
