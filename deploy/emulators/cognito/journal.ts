import { type FileHandle, open, readFile, rename, writeFile } from 'node:fs/promises'
import type { DataStore } from 'cognito-local/lib/services/dataStore/dataStore.js'

type Fields = Record<string, unknown>
type Entry = { key: string[]; value?: unknown }

/**
 * A store for cognito-local that survives a kill. Its own one rewrites a whole file at every change, in place and without
 * waiting for the write before: a kill tears it, and a sign-up costs as much as there are users.
 * Here a change is one line, written before it is acknowledged; opening drops a torn last line and rewrites the file with what is left.
 * @param defaults what a new file starts with. Rejects when a line other than the last is no entry, naming file and line.
 */
export async function openJournal(file: string, defaults: object): Promise<DataStore & { close(): Promise<void> }> {
  const state = await load(file)
  const root: Fields = state ?? { ...defaults }
  await compact(file, root)
  const append = appender(await open(file, 'a'))

  return {
    // The engine changes what it got and then sets it, as it does with its own store.
    get: async (_ctx: unknown, key: string | string[], fallback?: unknown) => at(root, path(key)) ?? fallback ?? null,
    getRoot: async () => JSON.parse(JSON.stringify(root), reviveDates),
    async set(_ctx, key, value) {
      apply(root, { key: path(key), value })
      await append.line({ key: path(key), value })
    },
    async delete(_ctx, key) {
      apply(root, { key: path(key) })
      await append.line({ key: path(key) })
    },
    close: append.close,
  }
}

async function load(file: string): Promise<Fields | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const root: Fields = {}
  // A line counts once its end is written.
  const lines = text.split('\n').slice(0, -1)
  for (const [index, line] of lines.entries()) {
    try {
      apply(root, JSON.parse(line, reviveDates))
    } catch (cause) {
      throw new Error(`${file}:${index + 1} is not a journal entry; repair or delete the file`, { cause })
    }
  }
  return root
}

async function compact(file: string, root: Fields): Promise<void> {
  const lines = Object.entries(root).flatMap(([name, value]) => [
    { key: [name], value: isFields(value) ? {} : value },
    ...(isFields(value) ? Object.entries(value).map(([inner, item]) => ({ key: [name, inner], value: item })) : []),
  ])
  // It holds passwords: for the person who runs it only.
  await writeFile(`${file}.new`, lines.map(line => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600 })
  await rename(`${file}.new`, file)
}

/** Writes one chunk at a time, each with all lines that came meanwhile, and settles a line once its chunk is written. */
function appender(handle: FileHandle): { line(entry: Entry): Promise<void>; close(): Promise<void> } {
  let waiting = ''
  let next: Promise<void> | undefined
  let last = Promise.resolve()
  const write = async (before: Promise<void>): Promise<void> => {
    await before.catch(() => {})
    const chunk = waiting
    waiting = ''
    next = undefined
    await handle.appendFile(chunk)
  }
  return {
    line(entry) {
      waiting += `${JSON.stringify(entry)}\n`
      if (next === undefined) {
        next = write(last)
        last = next
      }
      return next
    },
    async close() {
      await last.catch(() => {})
      await handle.close()
    },
  }
}

function apply(root: Fields, { key, value }: Entry): void {
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

function at(root: Fields, key: string[]): unknown {
  // Own properties only: a user named like a method of Object is no user.
  return key.reduce<unknown>((value, name) => (isFields(value) && Object.hasOwn(value, name) ? value[name] : undefined), root)
}

function path(key: string | string[]): string[] {
  return Array.isArray(key) ? key : [key]
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** The engine names every time `...Date` and expects it as one. */
function reviveDates(key: string, value: unknown): unknown {
  return key.endsWith('Date') && typeof value === 'string' ? new Date(value) : value
}
