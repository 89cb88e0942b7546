import db, { type Done, type IndexDb, type ItemDb, type Level, type Store } from 'dynalite/db/index.js'
import { makeFolder, reasonOf } from '../folder.ts'
import { prefix, startingWith, within } from './keys.ts'
import { guardLog, type Log } from './log.ts'
import { type Files, forgetTrial, openedFiles } from './opened.ts'
import { createTables, finishInterrupted, type Tables } from './tables.ts'
import { valueStream } from './value-stream.ts'

export interface Engine {
  /** What dynalite's actions get to see: its own store, read directly, and not to be written. All items are written by commit.ts. */
  store: Store
  level: Level
  tables: Tables
  /** What all writes pass. */
  log: Log
  /** undefined: in memory. */
  files: Files | undefined
}

/** The files under an open engine are not where they were: what is written to them is gone. */
export class FilesLost extends Error {
  override readonly name = 'FilesLost'
  /** The first that was missed. */
  readonly path: string
  constructor(path: string) {
    super(`${path} was removed or replaced`)
    this.path = path
  }
}

/**
 * Opens dynalite's store in a directory, created when absent, or in memory.
 * @param failed told once, when a write failed or the files were lost: nothing is written from then on, and the engine is to be closed and opened anew
 * @throws when another process (or this one) has the directory open already; the message names it.
 */
export async function openEngine(path: string | undefined, failed: (error: unknown) => void = () => {}): Promise<Engine> {
  const own = db.create({ ...(path === undefined ? {} : { path }), createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
  const level = own.db
  try {
    if (path !== undefined) await makeFolder(path)
    if (path !== undefined) await forgetTrial(path)
    await level.open()
  } catch (error) {
    throw cannotOpen(path, error)
  }
  const files = path === undefined ? undefined : openedFiles(path)
  const lost = (): Error | undefined => {
    const missed = files?.lost()
    return missed === undefined ? undefined : new FilesLost(missed)
  }
  const log = guardLog(level, lost, failed)
  try {
    await finishInterrupted(level)
  } catch (error) {
    await level.close()
    throw cannotOpen(path, error)
  }
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
  return { store, level, tables, log, files }
}

function cannotOpen(path: string | undefined, error: unknown): Error {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const locked = cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED'
  const why = locked ? 'another mesh is running on it; stop that one or choose another folder' : reasonOf(cause)
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
