import query from 'dynalite/actions/query.js'
import scan from 'dynalite/actions/scan.js'
import db, { type Answer, type LevelRange, type Request, type Store } from 'dynalite/db/index.js'
import queryValidation from 'dynalite/validations/query.js'
import scanValidation from 'dynalite/validations/scan.js'
import { run } from './actions.ts'
import { check } from './check.ts'
import type { Engine } from './dynalite.ts'
import { entryKey } from './overlay.ts'

const reads = { Query: { action: query, ...queryValidation }, Scan: { action: scan, ...scanValidation } }

/** Query and Scan. */
export function rangeRead(engine: Engine, operation: keyof typeof reads) {
  const { action, types, custom } = reads[operation]
  return async (body: unknown): Promise<Answer> => {
    const request = check(body, types, custom, engine.store)
    return run(action, continuing(engine, request), request)
  }
}

/** The store, for a page of an index: dynalite starts it at the key of the last entry as it spells it, and ours go on behind that (overlay.ts). */
function continuing({ store, tables }: Engine, { TableName, IndexName, ExclusiveStartKey: last }: Request): Store {
  if (!IndexName || !last) return store
  const behind = ({ gt, lt, ...range }: LevelRange): LevelRange => {
    const item = db.createKey(last, tables.find(TableName))
    if (range.reverse) return { ...range, ...(gt === undefined ? {} : { gt }), ...(lt === undefined ? {} : { lt: entryKey(lt, item) }) }
    return { ...range, ...(gt === undefined ? {} : { gt: entryKey(gt, item) }), ...(lt === undefined ? {} : { lt }) }
  }
  return {
    ...store,
    getIndexDb: (type, table, index) => {
      const entries = store.getIndexDb(type, table, index)
      return { ...entries, createValueStream: range => entries.createValueStream(behind(range)) }
    },
  }
}
