import batchGetItem from 'dynalite/actions/batchGetItem.js'
import describeTable from 'dynalite/actions/describeTable.js'
import getItem from 'dynalite/actions/getItem.js'
import listTables from 'dynalite/actions/listTables.js'
import listTagsOfResource from 'dynalite/actions/listTagsOfResource.js'
import tagResource from 'dynalite/actions/tagResource.js'
import untagResource from 'dynalite/actions/untagResource.js'
import batchGetItemValidation from 'dynalite/validations/batchGetItem.js'
import describeTableValidation from 'dynalite/validations/describeTable.js'
import getItemValidation from 'dynalite/validations/getItem.js'
import listTablesValidation from 'dynalite/validations/listTables.js'
import listTagsOfResourceValidation from 'dynalite/validations/listTagsOfResource.js'
import tagResourceValidation from 'dynalite/validations/tagResource.js'
import untagResourceValidation from 'dynalite/validations/untagResource.js'
import { type Action, type Operation, run } from './actions.ts'
import { batchWrite } from './batch-write.ts'
import { check } from './check.ts'
import { createCommit } from './commit.ts'
import { continuousBackups } from './continuous-backups.ts'
import type { Engine } from './dynalite.ts'
import { withLimits } from './limits.ts'
import { rangeRead } from './query.ts'
import type { Validation } from './schemas.ts'
import { singleWrite } from './single-write.ts'
import { tableChange } from './table-change.ts'
import { timeToLive } from './time-to-live.ts'
import type { Tokens } from './tokens.ts'
import { transactGet } from './transact-get.ts'
import { transactWrite } from './transact-write.ts'

/** Operations that can meet a transaction under way on an item of theirs. */
export type Conflicting = 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'TransactWriteItems' | 'TransactGetItems'

/** Every operation by its name on the wire: dynalite's own, and those that are ours. */
export function operations(engine: Engine, tokens: Tokens, conflict: (operation: Conflicting) => boolean): ReadonlyMap<string, Operation> {
  const commit = createCommit(engine)
  const ttl = timeToLive(engine)
  const backups = continuousBackups(engine)
  const own = (action: Action, { types, custom }: Validation): Operation => {
    return async body => run(action, engine.store, check(body, types, custom, engine.store))
  }
  const conflicts = (operation: Conflicting) => () => conflict(operation)
  return withLimits(
    new Map<string, Operation>([
      ['GetItem', own(getItem, getItemValidation)],
      ['BatchGetItem', own(batchGetItem, batchGetItemValidation)],
      ['Query', rangeRead(engine, 'Query')],
      ['Scan', rangeRead(engine, 'Scan')],
      ['PutItem', singleWrite(engine, commit, 'Put', conflicts('PutItem'))],
      ['UpdateItem', singleWrite(engine, commit, 'Update', conflicts('UpdateItem'))],
      ['DeleteItem', singleWrite(engine, commit, 'Delete', conflicts('DeleteItem'))],
      ['BatchWriteItem', batchWrite(engine, commit)],
      ['TransactWriteItems', transactWrite(engine, commit, tokens, conflicts('TransactWriteItems'))],
      ['TransactGetItems', transactGet(engine, conflicts('TransactGetItems'))],
      ['CreateTable', tableChange(engine, 'CreateTable')],
      ['UpdateTable', tableChange(engine, 'UpdateTable')],
      ['DeleteTable', tableChange(engine, 'DeleteTable')],
      ['DescribeTable', own(describeTable, describeTableValidation)],
      ['ListTables', own(listTables, listTablesValidation)],
      ['UpdateTimeToLive', ttl.update],
      ['DescribeTimeToLive', ttl.describe],
      ['UpdateContinuousBackups', backups.update],
      ['DescribeContinuousBackups', backups.describe],
      ['TagResource', own(tagResource, tagResourceValidation)],
      ['UntagResource', own(untagResource, untagResourceValidation)],
      ['ListTagsOfResource', own(listTagsOfResource, listTagsOfResourceValidation)],
    ]),
  )
}
