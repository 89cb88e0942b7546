import db, { type Item, type LevelWrite, type Refusal, type Store, type Table } from 'dynalite/db/index.js'
import { itemSize } from './item-size.ts'
import { prefix } from './keys.ts'

/** Where one write happens: its table and its item's key, as dynalite spells keys. */
export interface Place {
  table: Table
  key: string
}

/**
 * A store for one run of dynalite's PutItem, UpdateItem or DeleteItem: it finds the item as it is now, and what it writes is gathered in `writes`.
 * Its caller holds the item's lock, so `lock` is a formality; and since everything answers at once, the action has finished when the call returns.
 *
 * dynalite tells index entries of items with equal index keys apart by 24 bits of a hash of the item's key: two items that collide there would share one entry.
 * Entries therefore get the item's whole key behind theirs (query.ts continues pages accordingly).
 */
export function overlay(store: Store, { table, key }: Place, existing: Item | undefined, writes: LevelWrite[]): Store {
  const name = table.TableName
  return {
    ...store,
    getTable: (_name, checkStatus, done) => (typeof checkStatus === 'function' ? checkStatus : done)?.(null, table),
    getItemDb: () => ({
      ...store.getItemDb(name),
      lock: (_key, run) => run(done => done),
      get: (_key, done) => done(null, existing),
      put: (_key, item, done) => {
        const wrong = cannotStore(item, table, store.options.maxItemSize)
        if (wrong) return done(wrong)
        writes.push({ type: 'put', key: prefix.items(name) + key, value: item })
        done()
      },
      del: (_key, done) => {
        writes.push({ type: 'del', key: prefix.items(name) + key })
        done()
      },
    }),
    getIndexDb: (type, _table, index) => {
      const start = prefix.index(type, name, index)
      return {
        ...store.getIndexDb(type, name, index),
        put: (entry, item, done) => {
          writes.push({ type: 'put', key: entryKey(start + entry, key), value: item })
          done()
        },
        del: (entry, done) => {
          writes.push({ type: 'del', key: entryKey(start + entry, key) })
          done()
        },
      }
    },
  }
}

/** An index entry's key: dynalite's, then the item's own. */
export const entryKey = (entry: string, item: string) => `${entry}/${item}`

/** What dynalite lets through and the service does not: items that only an update made too large, counted in bytes, and empty index keys. */
function cannotStore(item: Item, table: Table, maxSize: number): Refusal | undefined {
  if (itemSize(item) > maxSize) return db.validationError('Item size to update has exceeded the maximum allowed size')
  return db.traverseIndexes(table, (attribute, type, index) =>
    item[attribute]?.[type] === ''
      ? db.validationError(
          'One or more parameter values are not valid. A value specified for a secondary index key is not supported. ' +
            `The AttributeValue for a key attribute cannot contain an empty string value. IndexName: ${index.IndexName}, IndexKey: ${attribute}`,
        )
      : undefined,
  )
}
