import type { Answer, Request } from 'dynalite/db/index.js'

/**
 * The `ConsumedCapacity` of a request over several items: the units that dynalite counted for each, times `factor`, summed by table.
 * `kind` is the field that a transaction repeats its units in.
 */
export function capacities(
  { ReturnConsumedCapacity: wanted }: Pick<Request, 'ReturnConsumedCapacity'>,
  answers: readonly Answer[],
  factor: number,
  kind?: 'ReadCapacityUnits' | 'WriteCapacityUnits',
): Answer {
  if (wanted !== 'TOTAL' && wanted !== 'INDEXES') return {}
  const units = new Map<string, number>()
  for (const { ConsumedCapacity: consumed } of answers) {
    if (consumed && !Array.isArray(consumed))
      units.set(consumed.TableName, (units.get(consumed.TableName) ?? 0) + consumed.CapacityUnits * factor)
  }
  const both = (count: number) => ({ CapacityUnits: count, ...(kind ? { [kind]: count } : {}) })
  const list = [...units].map(([TableName, count]) => ({
    TableName,
    ...both(count),
    ...(wanted === 'INDEXES' ? { Table: both(count) } : {}),
  }))
  return { ConsumedCapacity: list }
}
