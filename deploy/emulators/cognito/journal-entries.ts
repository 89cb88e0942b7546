export type Fields = Record<string, unknown>
export type Entry = { readonly key: readonly string[]; readonly value?: unknown }

/** As a line of the journal begins. */
const START = '{"key":['

/**
 * The entries in a journal's text. What a failed write, a kill or a machine without power left of a line that was never acknowledged is cut off: at the end of
 * the text, and in front of a line that was written behind it.
 * @param nameLine says where a line is, in errors
 * @returns also how many lines were cut
 * @throws when a line neither is an entry nor may be what is left of one
 */
export function readEntries(text: string, nameLine: (line: number) => string): { entries: Entry[]; cut: number } {
  const entries: Entry[] = []
  // A line counts once its end is written.
  const lines = text.split('\n')
  let cut = lines.pop() === '' ? 0 : 1
  for (const [index, line] of lines.entries()) {
    const entry = parse(line)
    if (entry) {
      entries.push(entry)
      continue
    }
    if (!isTorn(line)) throw new Error(`${nameLine(index + 1)} is not a journal entry; repair or delete the file`)
    cut += 1
    const behind = entryBehind(line)
    if (behind) entries.push(behind)
  }
  return { entries, cut }
}

/** Whether a line begins as entries begin, however early it broke off in front of the next one. A disk may have zeros where nothing was written. */
function isTorn(line: string): boolean {
  let length = 0
  while (length < START.length && line[length] === START[length]) length += 1
  const rest = line.slice(length).replace(/^\0+/, '')
  return length === START.length || rest === '' || (rest.length < line.length && isTorn(rest))
}

/** The whole entry at the end of a line that begins with a torn one. Inside an entry's own texts, quotes have a backslash before them. */
function entryBehind(line: string): Entry | undefined {
  for (let at = line.indexOf(START); at >= 0; at = line.indexOf(START, at + 1)) {
    const entry = parse(line.slice(at))
    if (entry) return entry
  }
  return undefined
}

function parse(line: string): Entry | undefined {
  try {
    const read: unknown = JSON.parse(line, reviveDates)
    if (!isFields(read) || !Array.isArray(read.key) || !read.key.every(name => typeof name === 'string')) return undefined
    return { key: read.key, value: read.value }
  } catch {
    return undefined
  }
}

export const lineOf = ({ key, value }: Entry): string => `${JSON.stringify({ key, value })}\n`

/** What a later opening reads of it. */
export const asRead = (entry: Entry): Entry => JSON.parse(lineOf(entry), reviveDates)

export function applyEntry(root: Fields, { key, value }: Entry): void {
  const [last = '', ...parents] = [...key].reverse()
  let target = root
  for (const name of parents.reverse()) {
    const inner = at(target, [name])
    if (isFields(inner)) target = inner
    else target = target[name] = {}
  }
  if (value === undefined) delete target[last]
  else Object.defineProperty(target, last, { value, configurable: true, enumerable: true, writable: true })
}

export function at(root: Fields, key: readonly string[]): unknown {
  // Own properties only: a user named like a method of Object is no user.
  return key.reduce<unknown>((value, name) => (isFields(value) && Object.hasOwn(value, name) ? value[name] : undefined), root)
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** The engine names every time `...Date` and expects it as one. */
export function reviveDates(key: string, value: unknown): unknown {
  return key.endsWith('Date') && typeof value === 'string' ? new Date(value) : value
}
