import db, { type Answer, type Level } from 'dynalite/db/index.js'
import { check } from './check.ts'
import type { Engine } from './dynalite.ts'
import { prefix } from './keys.ts'
import { describeContinuousBackups as describeSchema, updateContinuousBackups as updateSchema } from './schemas.ts'

interface Setting {
  enabledAt: number
}

/**
 * UpdateContinuousBackups and DescribeContinuousBackups: point-in-time recovery is kept and told, so that what provisions production can be tried here. There is
 * nothing to recover from. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContinuousBackups.html
 */
export function continuousBackups({ store, level, tables }: Engine) {
  const described = (table: string): Answer => {
    const setting = level.getSync<Setting>(prefix.continuousBackups(table))
    const window = setting && { EarliestRestorableDateTime: setting.enabledAt / 1_000, LatestRestorableDateTime: Date.now() / 1_000 }
    const recovery = { PointInTimeRecoveryStatus: setting ? 'ENABLED' : 'DISABLED', ...window }
    // Backups of every table are on, always.
    return { ContinuousBackupsDescription: { ContinuousBackupsStatus: 'ENABLED', PointInTimeRecoveryDescription: recovery } }
  }
  return {
    async update(body: unknown): Promise<Answer> {
      const { TableName: table, PointInTimeRecoverySpecification: wanted } = check(body, updateSchema, undefined, store)
      tables.find(table)
      if (!wanted) throw db.validationError('PointInTimeRecoverySpecification cannot be null')
      const key = prefix.continuousBackups(table)
      if (!wanted.PointInTimeRecoveryEnabled) await level.del(key)
      else if (!level.getSync<Setting>(key)) await level.put(key, { enabledAt: Date.now() } satisfies Setting)
      return described(table)
    },
    async describe(body: unknown): Promise<Answer> {
      const { TableName: table } = check(body, describeSchema, undefined, store)
      tables.find(table)
      return described(table)
    },
  }
}

/** To be called when a table is created: one of that name may have been deleted. */
export const forgetContinuousBackups = (level: Level, table: string): Promise<void> => level.del(prefix.continuousBackups(table))
