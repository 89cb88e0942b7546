/** One value of Prometheus' text format. `from` tells apart what several processes call alike. */
export type Series = {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly from: string
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: -?\d+)?$/
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g
const VALUES: Readonly<Record<string, number>> = { '+Inf': Number.POSITIVE_INFINITY, '-Inf': Number.NEGATIVE_INFINITY }
const unescaped = (text: string) => text.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c))

/** Reads https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format; what is no sample is left out. */
export const parseMetrics = (text: string, from = ''): readonly Series[] =>
  text.split('\n').flatMap(line => {
    const [, name, labels = '', value = ''] = line.startsWith('#') ? [] : (LINE.exec(line) ?? [])
    if (name === undefined) return []
    const pairs = [...labels.matchAll(LABEL)].map(([, key = '', of = '']) => [key, unescaped(of)] as const)
    return [{ name, labels: Object.fromEntries(pairs), value: VALUES[value] ?? Number(value), from }]
  })

export type Labels = Readonly<Record<string, string>>
const has = (labels: Labels, where: Labels) => Object.entries(where).every(([key, value]) => labels[key] === value)

export const pick = (series: readonly Series[], name: string, where: Labels = {}): readonly Series[] =>
  series.filter(s => s.name === name && has(s.labels, where))

export const sum = (series: readonly Series[]): number => series.reduce((total, s) => total + s.value, 0)

const identity = ({ name, labels, from }: Series) => JSON.stringify([from, name, labels])

/** How much counters grew. One that is smaller than before began anew with its process, so all of it is new. */
export const grown = (before: readonly Series[], after: readonly Series[]): readonly Series[] => {
  const earlier = new Map(before.map(s => [identity(s), s.value]))
  return after.map(s => {
    const value = earlier.get(identity(s)) ?? 0
    return { ...s, value: s.value >= value ? s.value - value : s.value }
  })
}

/**
 * A quantile of what a histogram counted, evenly within its bucket; undefined when it counted nothing.
 * @param buckets its `_bucket` series, several of them counting together
 */
export const quantile = (q: number, buckets: readonly Series[]): number | undefined => {
  const counts = new Map<number, number>()
  for (const { labels, value } of buckets) {
    const le = VALUES[labels.le ?? ''] ?? Number(labels.le)
    counts.set(le, (counts.get(le) ?? 0) + value)
  }
  const inOrder = [...counts].sort(([a], [b]) => a - b)
  const all = inOrder.at(-1)?.[1] ?? 0
  if (all === 0) return undefined
  let [low, below] = [0, 0]
  for (const [le, count] of inOrder) {
    if (count >= q * all) return le === Number.POSITIVE_INFINITY ? low : low + ((le - low) * (q * all - below)) / (count - below)
    low = le
    below = count
  }
  return low
}
