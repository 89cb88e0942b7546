import db, { type Answer, type Level } from 'dynalite/db/index.js'
import { check } from './check.ts'
import type { Engine } from './dynalite.ts'
import { prefix } from './keys.ts'
import { describeTimeToLive as describeSchema, updateTimeToLive as updateSchema } from './schemas.ts'

interface Setting {
  AttributeName: string
}

/**
 * UpdateTimeToLive and DescribeTimeToLive: the setting is kept and told, and nothing expires. Readers filter what has expired anyway, because DynamoDB deletes it late.
 * DynamoDB also refuses a second change within the hour; here it is taken.
 */
export function timeToLive({ store, level, tables }: Engine) {
  const setting = (table: string) => level.getSync<Setting>(prefix.timeToLive(table))
  return {
    async update(body: unknown): Promise<Answer> {
      const { TableName: table, TimeToLiveSpecification: wanted } = check(body, updateSchema, undefined, store)
      tables.find(table)
      if (!wanted) throw db.validationError('TimeToLiveSpecification cannot be null')
      const current = setting(table)
      if (current && current.AttributeName !== wanted.AttributeName)
        throw db.validationError('TimeToLive is active on a different AttributeName')
      if (wanted.Enabled === (current !== undefined))
        throw db.validationError(`TimeToLive is already ${wanted.Enabled ? 'enabled' : 'disabled'}`)
      if (wanted.Enabled) await level.put(prefix.timeToLive(table), { AttributeName: wanted.AttributeName } satisfies Setting)
      else await forgetTimeToLive(level, table)
      return { TimeToLiveSpecification: wanted }
    },
    async describe(body: unknown): Promise<Answer> {
      const { TableName: table } = check(body, describeSchema, undefined, store)
      tables.find(table)
      const current = setting(table)
      return { TimeToLiveDescription: current ? { TimeToLiveStatus: 'ENABLED', ...current } : { TimeToLiveStatus: 'DISABLED' } }
    },
  }
}

/** To be called when a table is created: one of that name may have been deleted. */
export const forgetTimeToLive = (level: Level, table: string): Promise<void> => level.del(prefix.timeToLive(table))
