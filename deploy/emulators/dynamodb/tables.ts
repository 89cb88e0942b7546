import type { Done, Level, Store, Table, TableDb } from 'dynalite/db/index.js'
import { tableNotFound } from './errors.ts'
import { prefix, startingWith } from './keys.ts'
import { valueStream } from './value-stream.ts'

export interface Tables {
  /** The description of a table that takes requests; throws ResourceNotFoundException. */
  find(name: string): Table
  /** dynalite's way to change descriptions. */
  db: TableDb
}

/**
 * Table descriptions, remembered once active: dynalite reads and parses one for every item of every request.
 * Every change of a description goes through `db`, which forgets it before and after, so that a read in between leaves nothing stale behind.
 */
export function createTables(store: Store): Tables {
  const active = new Map<string, Table>()
  const forget = (name: string, done: Done): Done => {
    active.delete(name)
    return error => {
      active.delete(name)
      done(error)
    }
  }
  return {
    find(name) {
      const known = active.get(name)
      if (known) return known
      const table = store.db.getSync<Table>(prefix.tables + name)
      if (!table || table.TableStatus === 'CREATING' || table.TableStatus === 'DELETING') throw tableNotFound(name)
      if (table.TableStatus === 'ACTIVE') active.set(name, table)
      return table
    },
    db: {
      ...store.tableDb,
      put: (name, table, done) => store.tableDb.put(name, table, forget(name, done)),
      del: (name, done) => store.tableDb.del(name, forget(name, done)),
      // dynalite's own walks over every key of the store, items included.
      createKeyStream: () => valueStream(tableNames(store.db)),
    },
  }
}

function tableNames(level: Level) {
  const iterator = level.keys(startingWith(prefix.tables))
  return {
    nextv: async (size: number) => (await iterator.nextv(size)).map(key => String(key).slice(prefix.tables.length)),
    close: () => iterator.close(),
  }
}

/**
 * A kill between the two halves of a table's creation, change or deletion leaves its description in a passing state that nothing would ever end.
 * Finishes what had been started.
 */
export async function finishInterrupted(level: Level): Promise<void> {
  for (const key of await level.keys(startingWith(prefix.tables)).all()) {
    const table = level.getSync<Table>(key)
    if (!table || table.TableStatus === 'ACTIVE') continue
    if (table.TableStatus === 'DELETING') {
      await dropContents(level, table.TableName)
      await level.del(key)
    } else {
      await level.put(key, { ...table, TableStatus: 'ACTIVE', ...activeIndexes(table) })
    }
  }
}

/** Items, index entries and tags of a table. */
async function dropContents(level: Level, table: string): Promise<void> {
  const starts = [prefix.items(table), prefix.indexes('local', table), prefix.indexes('global', table), prefix.tags(table)]
  await Promise.all(starts.map(start => level.clear(startingWith(start))))
}

function activeIndexes({ GlobalSecondaryIndexes: indexes }: Table): Partial<Table> {
  return indexes ? { GlobalSecondaryIndexes: indexes.map(index => ({ ...index, IndexStatus: 'ACTIVE' })) } : {}
}
