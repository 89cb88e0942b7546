/** What was done about one resource. `changes` names what it was before and is now, for those that were there already. */
export type Done = {
  readonly kind: 'table' | 'queue' | 'topic' | 'subscription'
  readonly name: string
  readonly did: 'created' | 'changed' | 'kept' | 'removed'
  readonly changes: readonly string[]
}

export const done = (kind: Done['kind'], name: string, existed: boolean, changes: readonly string[]): Done => ({
  kind,
  name,
  did: existed ? (changes.length > 0 ? 'changed' : 'kept') : 'created',
  changes: existed ? changes : [],
})

/** A table for people: what was done, to what, and what changed. */
export const spoken = (report: readonly Done[]): string => {
  const wide = (of: (one: Done) => string) => Math.max(...report.map(one => of(one).length), 0)
  const [kinds, names] = [wide(d => d.kind), wide(d => d.name)]
  const lines = report.map(d => `${d.did.padEnd(7)}  ${d.kind.padEnd(kinds)}  ${d.name.padEnd(names)}  ${d.changes.join(', ')}`.trimEnd())
  const count = (did: Done['did']) => report.filter(d => d.did === did).length
  const sums = (['created', 'changed', 'removed', 'kept'] as const).map(did => `${count(did)} ${did}`)
  return [...lines, '', sums.join(', ')].join('\n')
}

/** Whether two attribute values say the same: as they are, or as JSON in any order of names. */
export const same = (a: string | undefined, b: string | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && canonical(a) === canonical(b))

const canonical = (text: string): string => {
  try {
    return JSON.stringify(sorted(JSON.parse(text)))
  } catch {
    return text
  }
}
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, one]) => [name, sorted(one)]),
  )
}
