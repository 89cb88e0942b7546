import { mkdir } from 'node:fs/promises'
import db, { type Done, type IndexDb, type ItemDb, type Level, type Store } from 'dynalite/db/index.js'
import { prefix, startingWith, within } from './keys.ts'
import { createTables, finishInterrupted, type Tables } from './tables.ts'
import { valueStream } from './value-stream.ts'

export interface Engine {
  /** What dynalite's actions get to see: its own store, read directly, and not to be written. All items are written by commit.ts. */
  store: Store
  level: Level
  tables: Tables
}

/**
 * Opens dynalite's store in a directory, created when absent, or in memory.
 * @throws when another process (or this one) has the directory open already; the message names it.
 */
export async function openEngine(path: string | undefined): Promise<Engine> {
  if (path !== undefined) await mkdir(path, { recursive: true })
  const own = db.create({ ...(path === undefined ? {} : { path }), createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
  const level = own.db
  await level.open().catch((error: unknown) => {
    throw cannotOpen(path, error)
  })
  await finishInterrupted(level)
  const tables = createTables(own)
  const store: Store = {
    ...own,
    tableDb: tables.db,
    getTable(name, checkStatus, done) {
      if (typeof checkStatus === 'function') checkStatus(null, tables.find(name))
      else if (done) own.getTable(name, false, done)
    },
    getItemDb: table => items(level, prefix.items(table)),
    getIndexDb: (type, table, index) => entries(level, prefix.index(type, table, index)),
    // dynalite's own walk over every key of the store.
    deleteItemDb: (table, done) => clear(level, prefix.items(table), done),
    deleteIndexDb: (type, table, index, done) => clear(level, prefix.index(type, table, index), done),
    deleteTagDb: (table, done) => clear(level, prefix.tags(table), done),
  }
  return { store, level, tables }
}

function cannotOpen(path: string | undefined, error: unknown): Error {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const locked = cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED'
  const why = locked
    ? 'another mesh is running on it; stop that one or choose another folder'
    : cause instanceof Error
      ? cause.message
      : String(cause)
  return new Error(`Cannot open the DynamoDB data in ${path ?? 'memory'}: ${why}`, { cause: error })
}

const items = (level: Level, start: string): ItemDb => ({
  ...readOnly,
  get: (key, done) => done(null, level.getSync(start + key)),
  createValueStream: range => valueStream(level.values(within(start, range))),
})

const entries = (level: Level, start: string): IndexDb => ({
  ...readOnly,
  createValueStream: range => valueStream(level.values(within(start, range))),
})

const refuse = () => {
  throw new Error('items are written by commit.ts alone, so that their index entries go down with them')
}
const readOnly = { lock: refuse, put: refuse, del: refuse }

function clear(level: Level, start: string, done: Done): void {
  level.clear(startingWith(start)).then(() => done(), done)
}
