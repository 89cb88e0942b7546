import { open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import type { DataStore } from 'cognito-local/lib/services/dataStore/dataStore.js'
import { codeOf, reasonOf } from '../folder.ts'
import { applyEntry, asRead, at, type Fields, isFields, lineOf, readEntries, reviveDates } from './journal-entries.ts'
import { type JournalFile, journalFile } from './journal-file.ts'

export type Journal = DataStore & Pick<JournalFile, 'trouble' | 'close'>

/**
 * A store for cognito-local that survives a kill and a full disk. Its own one rewrites a whole file at every change, in place and without
 * waiting for the write before: a kill tears it, and a sign-up costs as much as there are users.
 * Here a change is one line, written before it is applied and acknowledged; opening drops torn lines and rewrites the file with what is left.
 * @param defaults what a new file starts with
 * @param warn told when torn lines were dropped
 * @throws an error naming the file when it cannot be read or written, and the line when one is no entry, nor what is left of one
 */
export async function openJournal(
  file: string,
  defaults: object,
  warn: (text: string) => void = text => console.error(text),
): Promise<Journal> {
  const root: Fields = (await load(file, warn)) ?? { ...defaults }
  const handle = await compact(file, root).catch((error: unknown) => {
    throw Object.assign(new Error(`${file} cannot be written: ${reasonOf(error)}`, { cause: error }), { code: codeOf(error) })
  })
  const written = await journalFile(file, handle, entry => applyEntry(root, entry))

  return {
    // Copies: the engine changes what it got before it sets it, and setting it may fail.
    get: async (_ctx: unknown, key: string | string[], fallback?: unknown) => structuredClone(at(root, path(key)) ?? fallback ?? null),
    getRoot: async () => JSON.parse(JSON.stringify(root), reviveDates),
    set: (_ctx, key, value) => written.append(asRead({ key: path(key), value })),
    delete: (_ctx, key) => written.append({ key: path(key) }),
    trouble: written.trouble,
    close: written.close,
  }
}

async function load(file: string, warn: (text: string) => void): Promise<Fields | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new Error(`${file} cannot be read: ${reasonOf(error)}`, { cause: error })
  })
  if (text === undefined) return undefined
  const { entries, cut } = readEntries(text, line => `${file}:${line}`)
  if (cut > 0) warn(`${file}: ${cut} torn line${cut === 1 ? ' was' : 's were'} cut off; what stood there was never acknowledged`)
  const root: Fields = {}
  for (const entry of entries) applyEntry(root, entry)
  return root
}

/** @returns the file, open for what comes next */
async function compact(file: string, root: Fields) {
  const lines = Object.entries(root).flatMap(([name, value]) => [
    { key: [name], value: isFields(value) ? {} : value },
    ...(isFields(value) ? Object.entries(value).map(([inner, item]) => ({ key: [name, inner], value: item })) : []),
  ])
  const fresh = `${file}.new`
  try {
    // It holds passwords: for the person who runs it only. On the disk, before it takes the place of what is there.
    await writeFile(fresh, lines.map(lineOf).join(''), { mode: 0o600, flush: true })
    await rename(fresh, file)
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {})
    throw error
  }
  return open(file, 'a')
}

function path(key: string | string[]): string[] {
  return Array.isArray(key) ? key : [key]
}
