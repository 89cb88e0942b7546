import type { Write } from '../../contracts/declare/records.ts'
import { type CircleEntry, circle } from '../../contracts/users.ts'
import { absenceUntil } from '../kernel/authoring/rule.ts'

/** A row of a circle as it is written: who left is forgotten after a while, unless they are muted. */
export const circleRow = (entry: CircleEntry): Write =>
  circle.put(entry, entry.relation === 'none' && entry.mutedAt === null ? absenceUntil(entry.changedAt) : undefined)
