import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Place } from '../../../../../contracts/declare/records.ts'
import type { Bench } from '../conformance.ts'
import { ConditionLost, Conflict, type StoreWrite } from '../port.ts'

export const raceConformance = ({ store, partition, read }: Bench) => {
  /** Commits what `writes` makes of what is read until it succeeds, as a turn does. */
  const until = async <T>(attempt: () => Promise<{ writes: StoreWrite[]; result: T }>): Promise<T> => {
    for (let tries = 0; ; tries++) {
      const { writes, result } = await attempt()
      try {
        await store().commit(writes)
        return result
      } catch (error) {
        if (!(error instanceof ConditionLost || error instanceof Conflict) || tries === 2_000) throw error
        await pause(Math.random() * 5)
      }
    }
  }
  /** Whether a commit is done, whatever stands in its way for a moment; false when its condition is lost. */
  const decided = async (write: StoreWrite[]): Promise<boolean> => {
    for (;;) {
      try {
        await store().commit(write)
        return true
      } catch (error) {
        if (error instanceof ConditionLost) return false
        if (!(error instanceof Conflict)) throw error
        await pause(Math.random() * 5)
      }
    }
  }
  const bumped = async (place: Place, by: string, ...others: StoreWrite[]) => {
    const item = await read(place)
    const version = Number(item?.version ?? 0)
    const writers = [...((item?.writers ?? []) as string[]), by]
    const put: StoreWrite = { put: { pk: place.pk, sk: place.sk, version: version + 1, writers }, table: place.table, when: { version } }
    return { writes: [put, ...others], result: version + 1 }
  }
  const many = (count: number) => Array.from({ length: count }, (_, n) => `w${n}`)
  const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1)

  describe('writers at the same time', () => {
    test('of one item: every version is written once and none is lost', async () => {
      const place = { table: 'left', pk: partition(), sk: 'state' }
      const versions = await Promise.all(many(50).map(by => until(() => bumped(place, by))))
      expect(versions.toSorted((a, b) => a - b)).toEqual(upTo(50))
      const item = await read(place)
      expect(item?.version).toBe(50)
      expect(new Set(item?.writers as string[])).toEqual(new Set(many(50)))
    })

    test('of one item and a shared counter in a transaction: both come out exact', async () => {
      const place = { table: 'left', pk: partition(), sk: 'state' }
      const counter = { table: 'right', pk: partition(), sk: 'counts' }
      const versions = await Promise.all(
        many(20).map(by => until(() => bumped(place, by, { add: counter, by: { n: 1 }, atMost: { n: 20 } }))),
      )
      expect(versions.toSorted((a, b) => a - b)).toEqual(upTo(20))
      expect((await read(counter))?.n).toBe(20)
    })

    test('of a counter: exactly as many as there is room for', async () => {
      const counter = { table: 'left', pk: partition(), sk: 'counts' }
      const done = await Promise.all(many(40).map(() => decided([{ add: counter, by: { n: 1 }, atMost: { n: 25 } }])))
      expect(done.filter(Boolean)).toHaveLength(25)
      expect((await read(counter))?.n).toBe(25)
      const undone = await Promise.all(many(40).map(() => decided([{ add: counter, by: { n: -1 }, atMost: {} }])))
      expect(undone.filter(Boolean)).toHaveLength(25)
      expect((await read(counter))?.n).toBe(0)
    })

    test('who claim one place: one of them gets it', async () => {
      const place = { table: 'left', pk: partition(), sk: 'claim' }
      const done = await Promise.all(
        many(20).map(async by => ((await decided([{ put: { ...at(place), by }, table: 'left', when: { absent: 'pk' } }])) ? [by] : [])),
      )
      const winners = done.flat()
      expect(winners).toHaveLength(1)
      expect((await read(place))?.by).toBe(winners[0])
    })

    test('of two items in opposite order: a reader of the sum sees none half done', async () => {
      const [one, two] = ['one', 'two'].map(sk => ({ table: 'left', pk: partition(), sk })) as [Place, Place]
      await store().commit([one, two].map(p => ({ add: p, by: { n: 100 }, atMost: {} })))
      const move = (from: Place, to: Place) =>
        decided([
          { add: from, by: { n: -5 }, atMost: {} },
          { add: to, by: { n: 5 }, atMost: {} },
        ])
      await Promise.all(many(20).map((_, n) => (n % 2 ? move(one, two) : move(two, one))))
      const items = await store().get([one, two])
      expect(items.map(item => item?.n)).toEqual([100, 100])
    })
  })
}

const at = ({ pk, sk }: Place) => ({ pk, sk })
