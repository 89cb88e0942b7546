import type { LevelRange } from 'dynalite/db/index.js'

/** Where dynalite 4.0.0 keeps what in its one LevelDB; our own prefixes are beside them. */
export const prefix = {
  tables: 'table~',
  tags: (table: string) => `tag-${table}~`,
  items: (table: string) => `item-${table}~`,
  index: (type: string, table: string, index: string) => `${prefix.indexes(type, table)}${index}~`,
  indexes: (type: string, table: string) => `index-${type.toLowerCase()}~${table}~`,
  timeToLive: (table: string) => `ttl~${table}`,
  continuousBackups: (table: string) => `backups~${table}`,
  tokens: 'token~',
}

/** Every key that starts with `start`. The keys behind a prefix are ASCII. */
export const startingWith = (start: string): LevelRange => ({ gte: start, lt: `${start}\xff` })

/** `range` moved behind a prefix; an open end becomes the prefix's own. */
export function within(start: string, { gt, gte, lt, lte, ...rest }: LevelRange): LevelRange {
  const lower = gt === undefined ? { gte: start + (gte ?? '') } : { gt: start + gt }
  const upper = lte !== undefined ? { lte: start + lte } : { lt: start + (lt ?? '\xff') }
  return { ...rest, ...lower, ...upper }
}
