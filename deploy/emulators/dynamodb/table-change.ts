import createTable from 'dynalite/actions/createTable.js'
import deleteTable from 'dynalite/actions/deleteTable.js'
import updateTable from 'dynalite/actions/updateTable.js'
import type { Answer, Done, TableDb } from 'dynalite/db/index.js'
import create from 'dynalite/validations/createTable.js'
import remove from 'dynalite/validations/deleteTable.js'
import update from 'dynalite/validations/updateTable.js'
import { run } from './actions.ts'
import { check } from './check.ts'
import { forgetContinuousBackups } from './continuous-backups.ts'
import type { Engine } from './dynalite.ts'
import { forgetTimeToLive } from './time-to-live.ts'

const changes = {
  CreateTable: { action: createTable, ...create },
  UpdateTable: { action: updateTable, ...update },
  DeleteTable: { action: deleteTable, ...remove },
}

/**
 * CreateTable, UpdateTable, DeleteTable, answered when the change is done: dynalite answers after its first write (`CREATING`) and makes a second one by timer.
 * Whoever polls for `ACTIVE`, as the SDK's waiter does every 20 seconds, finds it at the first look.
 */
export function tableChange({ store, tables, level }: Engine, operation: keyof typeof changes) {
  const { action, types, custom } = changes[operation]
  return async (body: unknown): Promise<Answer> => {
    const request = check(body, types, custom, store)
    const { db, done } = untilSecondWrite(tables.db)
    const answer = await run(action, { ...store, tableDb: db }, request)
    if (operation === 'CreateTable')
      await Promise.all([forgetTimeToLive(level, request.TableName), forgetContinuousBackups(level, request.TableName)])
    await done
    return answer
  }
}

/** `done` rejects when a write fails: of the second, dynalite would only print the error. */
function untilSecondWrite(db: TableDb): { db: TableDb; done: Promise<void> } {
  let writes = 0
  let finish = () => {}
  let fail = (_error: Error) => {}
  const done = new Promise<void>((resolve, reject) => {
    finish = resolve
    fail = reject
  })
  // Nobody waits when the first one failed.
  done.catch(() => {})
  const counted =
    (callback: Done): Done =>
    error => {
      writes += 1
      if (error) fail(error)
      else if (writes === 2) finish()
      callback(writes === 1 ? error : undefined)
    }
  return {
    done,
    db: {
      ...db,
      put: (name, table, callback) => db.put(name, table, counted(callback)),
      del: (name, callback) => db.del(name, counted(callback)),
    },
  }
}
