import type { Place } from '../../../../contracts/declare/records.ts'
import { checkKey, keyOf, spoken } from './keys.ts'
import { type StoreWrite, Unstorable } from './port.ts'

/** DynamoDB's own limit of a transaction. */
const MOST = 100

export const placeOf = (write: StoreWrite): Place => {
  if ('put' in write) return { table: write.table, pk: write.put.pk, sk: write.put.sk }
  if ('remove' in write) return write.remove
  if ('check' in write) return write.check
  return 'add' in write ? write.add : write.set
}

/** What no store would take, or each would take differently. */
const mistake = (write: StoreWrite): string | undefined => {
  const named = 'set' in write ? write.values : 'add' in write ? write.by : {}
  if ('pk' in named || 'sk' in named) return 'it changes its key'
  if ('set' in write && Object.keys(named).length === 0) return 'it sets nothing'
  if ('add' in write && !Object.values(write.by).every(Number.isFinite)) return `it adds ${JSON.stringify(write.by)}`
  return undefined
}

const changes = (write: StoreWrite): boolean => !('add' in write) || Object.values(write.by).some(by => by !== 0)

/**
 * The writes of a commit that change something: an `add` of nothing but zeros does not.
 * @throws an error that names the place when no store would take it: too many items, a place twice, a wrong key
 */
export const checked = (writes: readonly StoreWrite[]): StoreWrite[] => {
  if (writes.length > MOST) throw new Unstorable(`a commit takes at most ${MOST} items, not ${writes.length}`)
  const places = new Set<string>()
  for (const write of writes) {
    const place = placeOf(write)
    checkKey(place)
    const wrong = mistake(write)
    if (wrong !== undefined) throw new Unstorable(`cannot write ${spoken(place)}: ${wrong}`)
    const key = keyOf(place)
    if (places.has(key)) throw new Unstorable(`a commit writes ${spoken(place)} twice`)
    places.add(key)
  }
  return writes.filter(changes)
}

/** What an `add` changes. A sum that grows must stay within its `atMost`; one that shrinks must not fall below 0, whatever its limit became meanwhile. */
export const additions = ({ by, atMost }: Extract<StoreWrite, { by: unknown }>) =>
  Object.entries(by)
    .filter(([, amount]) => amount !== 0)
    .map(([name, amount]) => ({ name, amount, bound: amount < 0 ? { least: 0 } : { most: atMost[name] ?? Number.POSITIVE_INFINITY } }))

/** Whether an item counts as gone. @param now epoch ms */
export const isExpired = (item: Readonly<Record<string, unknown>>, now: number): boolean =>
  typeof item.expiresAt === 'number' && item.expiresAt <= now / 1000
