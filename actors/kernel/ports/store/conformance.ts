import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Place } from '../../../../contracts/declare/records.ts'
import type { Clock } from '../clock/port.ts'
import { commitConformance } from './conformance/commit.ts'
import { queryConformance } from './conformance/query.ts'
import { raceConformance } from './conformance/races.ts'
import { valueConformance } from './conformance/values.ts'
import type { Item, Store } from './port.ts'

/** The tables that a store under test must have. */
export const CONFORMANCE_TABLES = ['left', 'right'] as const

/** What each part of the suite works with. Tests share a store, so each takes a partition of its own. */
export type Bench = {
  readonly store: () => Store
  /** Lets the store's clock stand at so many seconds from where the suite began. */
  readonly setTime: (seconds: number) => void
  /** Epoch seconds, so many from where the suite began. */
  readonly at: (seconds: number) => number
  readonly partition: () => string
  readonly read: (place: Place) => Promise<Item | undefined>
  readonly put: (...items: readonly Item[]) => Promise<void>
}

/**
 * What every store keeps.
 * @param open a store that has the tables `CONFORMANCE_TABLES`, empty, and goes by the clock it is given
 */
export const storeConformance = (
  name: string,
  open: (clock: Pick<Clock, 'now'>) => Promise<{ store: Store; close: () => Promise<void> }>,
): void => {
  describe(`store: ${name}`, () => {
    const began = Math.floor(Date.now() / 1000)
    let seconds = 0
    let opened: Awaited<ReturnType<typeof open>>
    beforeAll(async () => {
      opened = await open({ now: () => (began + seconds) * 1000 })
    })
    afterAll(() => opened?.close())

    const bench: Bench = {
      store: () => opened.store,
      setTime: to => {
        seconds = to
      },
      at: offset => began + offset,
      partition: () => `p#${randomUUID()}`,
      read: async place => (await opened.store.get([place]))[0],
      put: (...items) => opened.store.commit(items.map(put => ({ put, table: 'left' }))),
    }
    getConformance(bench)
    valueConformance(bench)
    queryConformance(bench)
    commitConformance(bench)
    raceConformance(bench)
  })
}

const getConformance = ({ store, partition, put }: Bench) => {
  const places = (pk: string, ...sks: string[]): Place[] => sks.map(sk => ({ table: 'left', pk, sk }))

  describe('get', () => {
    test('answers in the order asked for, the same place as often as asked for, undefined for what is not there', async () => {
      const pk = partition()
      await put({ pk, sk: 'a', n: 1 }, { pk, sk: 'b', n: 2 })
      const items = await store().get(places(pk, 'b', 'none', 'a', 'b'))
      expect(items).toEqual([{ pk, sk: 'b', n: 2 }, undefined, { pk, sk: 'a', n: 1 }, { pk, sk: 'b', n: 2 }])
      expect(await store().get([])).toEqual([])
    })

    test('reads of several tables at once, each its own', async () => {
      const pk = partition()
      await store().commit([
        { put: { pk, sk: 'a', from: 'left' }, table: 'left' },
        { put: { pk, sk: 'a', from: 'right' }, table: 'right' },
      ])
      const items = await store().get([
        { table: 'right', pk, sk: 'a' },
        { table: 'left', pk, sk: 'a' },
      ])
      expect(items.map(item => item?.from)).toEqual(['right', 'left'])
    })

    test('takes more places than a request does, from many callers at once', async () => {
      const pk = partition()
      const sks = Array.from({ length: 230 }, (_, n) => `i${String(n).padStart(3, '0')}`)
      for (let from = 0; from < sks.length; from += 100) await put(...sks.slice(from, from + 100).map(sk => ({ pk, sk, me: sk })))
      const asked = [...sks, 'none', ...sks.toReversed()]
      const [all, ...single] = await Promise.all([store().get(places(pk, ...asked)), ...sks.map(sk => store().get(places(pk, sk)))])
      expect(all.map(item => item?.me)).toEqual(asked.map(sk => (sk === 'none' ? undefined : sk)))
      expect(single.map(([item]) => item?.me)).toEqual(sks)
    })

    test('sees what was committed before', async () => {
      const pk = partition()
      for (let n = 1; n <= 20; n++) {
        await put({ pk, sk: 'a', n })
        expect((await store().get(places(pk, 'a')))[0]?.n).toBe(n)
      }
    })

    test('gives every caller an item of its own, and keeps none that a caller holds', async () => {
      const pk = partition()
      const list = [1, 2]
      await put({ pk, sk: 'a', list })
      list.push(3)
      const [[one], [two]] = await Promise.all([store().get(places(pk, 'a')), store().get(places(pk, 'a'))])
      expect(one).toEqual({ pk, sk: 'a', list: [1, 2] })
      Object.assign(one ?? {}, { list: 'gone' })
      expect(two).toEqual({ pk, sk: 'a', list: [1, 2] })
      expect(await store().get(places(pk, 'a'))).toEqual([two])
    })

    test('refuses a key that cannot be, and no neighbour suffers', async () => {
      const pk = partition()
      await put({ pk, sk: 'a' })
      const [good, empty, long] = await Promise.allSettled([
        store().get(places(pk, 'a')),
        store().get(places(pk, '')),
        store().get(places(pk, 'x'.repeat(1025))),
      ])
      expect(good).toMatchObject({ status: 'fulfilled', value: [{ pk, sk: 'a' }] })
      expect(empty).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('sk of a place is empty') } })
      expect(long).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('longer than 1024 bytes') } })
    })
  })
}
