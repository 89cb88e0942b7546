/** What is shown of a run, as text and as a page. Pure: it knows k6's summary data and nothing of k6. */

/** k6's summary data (`handleSummary`), as far as it is shown. */
export type SummaryData = {
  readonly state: { readonly testRunDurationMs: number }
  readonly metrics: {
    readonly [name: string]: {
      readonly values: Readonly<Record<string, number>>
      readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>
    }
  }
}
export type Run = { readonly scenario: string; readonly what: string; readonly url: string; readonly data: SummaryData }

const NAMES: Readonly<Record<string, string>> = {
  'time_to_visible{by:timeline}': 'seen on a friend’s timeline',
  'time_to_visible{by:socket}': 'heard on a friend’s socket',
  time_to_hello: 'socket open, hello',
}
const nameOf = (metric: string): string => NAMES[metric] ?? metric.replace(/^http_req_duration\{name:(.*)\}$/, '$1')

const milliseconds = (ms = 0): string => (ms < 10 ? ms.toFixed(1) : String(Math.round(ms)))

/** k6 has them in an order that changes from run to run; two reports are compared line by line. */
const inOrder = <M>(metrics: Readonly<Record<string, M>>): [string, M][] =>
  Object.entries(metrics).sort(([a], [b]) => (nameOf(a) < nameOf(b) ? -1 : 1))

/** The distributions: what, how many, median, 95 and 99 of 100, longest, in ms. */
const rowsOf = ({ metrics }: SummaryData): string[][] =>
  inOrder(metrics)
    .filter(([name, { values }]) => (name in NAMES || name.startsWith('http_req_duration{name:')) && (values.count ?? 0) > 0)
    .map(([name, { values: v }]) => [nameOf(name), String(v.count), ...[v.med, v['p(95)'], v['p(99)'], v.max].map(milliseconds)])
const HEAD = ['ms', 'count', 'median', '95 %', '99 %', 'longest']

/** The counts that say whether the mesh did what it promises. */
const countsOf = ({ metrics }: SummaryData): [string, string][] => {
  const count = (name: string): number => metrics[name]?.values.count ?? 0
  return [
    ['posts published', String(count('posts_published'))],
    ['deliveries due, seen, lost', `${count('deliveries_due')}, ${count('deliveries_seen')}, ${count('lost')}`],
    ['events heard twice', String(count('doubled'))],
    ['sockets dropped by the mesh', String(count('sockets_dropped'))],
    ['refused and tried again: 429, 503', `${count('refused_429')}, ${count('refused_503')}`],
    ['answered 202, followed to the end', String(count('accepted_202'))],
    ['failures', `${((metrics.failures?.values.rate ?? 0) * 100).toFixed(2)} %`],
  ]
}

/** Every threshold, and whether it held. */
const judgedOf = ({ metrics }: SummaryData): { what: string; ok: boolean }[] =>
  inOrder(metrics).flatMap(([name, { thresholds = {} }]) =>
    Object.entries(thresholds).map(([rule, { ok }]) => ({ what: `${nameOf(name)}: ${rule}`, ok })),
  )

const verdictOf = (data: SummaryData): string => {
  const judged = judgedOf(data)
  const broken = judged.filter(({ ok }) => !ok).length
  return broken === 0 ? `All ${judged.length} thresholds held.` : `${broken} of ${judged.length} thresholds broke.`
}
const titleOf = ({ scenario, url, data }: Run): string =>
  `${scenario} against ${url}, ${(data.state.testRunDurationMs / 1000).toFixed(0)} s with all preparations`

export const textOf = (run: Run): string => {
  const rows = [HEAD, ...rowsOf(run.data)]
  const widths = HEAD.map((_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0)))
  const line = (row: string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('   ')
  const counts = countsOf(run.data)
  const wide = Math.max(...counts.map(([name]) => name.length))
  return [
    '',
    titleOf(run),
    run.what,
    '',
    ...rows.map(row => `  ${line(row)}`),
    '',
    ...counts.map(([name, value]) => `  ${name.padEnd(wide)}   ${value}`),
    '',
    ...judgedOf(run.data)
      .filter(({ ok }) => !ok)
      .map(({ what }) => `  ✗ ${what}`),
    verdictOf(run.data),
    '',
  ].join('\n')
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`)
const table = (rows: readonly (readonly string[])[], head?: readonly string[]): string => {
  const cells = (row: readonly string[], tag: string): string => `<tr>${row.map(c => `<${tag}>${escaped(c)}</${tag}>`).join('')}</tr>`
  return `<table>${head ? cells(head, 'th') : ''}${rows.map(row => cells(row, 'td')).join('')}</table>`
}

/** A page that needs nothing else. @param at when the run ended */
export const htmlOf = (run: Run, at: Date): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(titleOf(run))}</title>
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif } body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0; width: 100% } td, th { padding: .25rem .75rem; border-bottom: 1px solid #8884; text-align: right }
td:first-child, th:first-child { text-align: left } .no { color: #d33 } .yes { color: #2a2 } td { font-variant-numeric: tabular-nums }
</style>
<h1>${escaped(run.scenario)}</h1>
<p>${escaped(titleOf(run))}; ended ${at.toISOString()}.<br>${escaped(run.what)}.</p>
<p class="${judgedOf(run.data).every(({ ok }) => ok) ? 'yes' : 'no'}"><strong>${verdictOf(run.data)}</strong></p>
${table(rowsOf(run.data), HEAD)}
${table(countsOf(run.data))}
<ul>${judgedOf(run.data)
  .map(({ what, ok }) => `<li class="${ok ? 'yes' : 'no'}">${ok ? '✓' : '✗'} ${escaped(what)}</li>`)
  .join('')}</ul>
</html>
`
