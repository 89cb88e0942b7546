import { describe, expect, test } from 'vitest'
import type { Place } from '../../../../../contracts/declare/records.ts'
import type { Bench } from '../conformance.ts'
import { type Condition, ConditionLost, type StoreWrite } from '../port.ts'

export const commitConformance = ({ store, partition, put, read, at }: Bench) => {
  const place = (): Place => ({ table: 'left', pk: partition(), sk: 'a' })
  const version = (p: Place, n: number, when?: Condition): StoreWrite => ({
    put: { pk: p.pk, sk: p.sk, version: n },
    table: p.table,
    ...(when && { when }),
  })
  /** Where a commit lost its conditions; undefined when it did not. */
  const lostAt = async (...writes: StoreWrite[]): Promise<readonly Place[] | undefined> => {
    try {
      await store().commit(writes)
      return undefined
    } catch (error) {
      if (error instanceof ConditionLost) return error.places
      throw error
    }
  }
  /** Each way to commit a write: alone, and in a transaction. */
  const ways: [string, (...writes: StoreWrite[]) => StoreWrite[]][] = [
    ['alone', (...writes) => writes],
    ['with others', (...writes) => [...writes, { put: { pk: partition(), sk: 'neighbour' }, table: 'right' }]],
  ]

  describe.each(ways)('a write %s', (_, together) => {
    test('version 0: only if there is nothing, or only what expired', async () => {
      const p = place()
      expect(await lostAt(...together(version(p, 1, { version: 0 })))).toBeUndefined()
      expect(await lostAt(...together(version(p, 9, { version: 0 })))).toEqual([p])
      expect((await read(p))?.version).toBe(1)
      await put({ pk: p.pk, sk: p.sk, version: 7, expiresAt: at(-1) })
      expect(await lostAt(...together(version(p, 1, { version: 0 })))).toBeUndefined()
      expect(await read(p)).toEqual({ pk: p.pk, sk: p.sk, version: 1 })
    })

    test('version n: only while it is n, and not once it expired', async () => {
      const p = place()
      expect(await lostAt(...together(version(p, 2, { version: 1 })))).toEqual([p])
      await put({ pk: p.pk, sk: p.sk, version: 1 })
      expect(await lostAt(...together(version(p, 2, { version: 1 })))).toBeUndefined()
      expect(await lostAt(...together(version(p, 3, { version: 1 })))).toEqual([p])
      await put({ pk: p.pk, sk: p.sk, version: 2, expiresAt: at(-1) })
      expect(await lostAt(...together(version(p, 3, { version: 2 })))).toEqual([p])
      await put({ pk: p.pk, sk: p.sk, version: 2, expiresAt: at(1000) })
      expect(await lostAt(...together(version(p, 3, { version: 2 })))).toBeUndefined()
    })

    test('an absent attribute: not of what is there, of what expired', async () => {
      const p = place()
      expect(await lostAt(...together(version(p, 1, { absent: 'pk' })))).toBeUndefined()
      expect(await lostAt(...together(version(p, 2, { absent: 'pk' })))).toEqual([p])
      expect(await lostAt(...together(version(p, 2, { absent: 'reply' })))).toBeUndefined()
      await put({ pk: p.pk, sk: p.sk, reply: null })
      expect(await lostAt(...together(version(p, 3, { absent: 'reply' })))).toEqual([p])
      await put({ pk: p.pk, sk: p.sk, reply: 1, expiresAt: at(-1) })
      expect(await lostAt(...together(version(p, 3, { absent: 'reply' })))).toBeUndefined()
    })

    test('a check writes nothing and holds the rest to its condition', async () => {
      const p = place()
      expect(await lostAt(...together({ check: p, when: { version: 0 } }))).toBeUndefined()
      expect(await read(p)).toBeUndefined()
      await put({ pk: p.pk, sk: p.sk, version: 1, kept: 'as it is' })
      expect(await lostAt(...together({ check: p, when: { version: 1 } }))).toBeUndefined()
      expect(await lostAt(...together({ check: p, when: { version: 0 } }))).toEqual([p])
      expect(await lostAt(...together({ check: p, when: { absent: 'kept' } }))).toEqual([p])
      expect(await read(p)).toEqual({ pk: p.pk, sk: p.sk, version: 1, kept: 'as it is' })
      await put({ pk: p.pk, sk: p.sk, version: 2, expiresAt: at(-1) })
      expect(await lostAt(...together({ check: p, when: { version: 0 } }))).toBeUndefined()
    })

    test('put replaces the whole item, remove takes it away, also where there is none', async () => {
      const p = place()
      await put({ pk: p.pk, sk: p.sk, old: 1 })
      await store().commit(together({ put: { pk: p.pk, sk: p.sk, new: 2 }, table: 'left' }))
      expect(await read(p)).toEqual({ pk: p.pk, sk: p.sk, new: 2 })
      await store().commit(together({ remove: p }))
      expect(await read(p)).toBeUndefined()
      await store().commit(together({ remove: p }))
    })

    test('set changes some attributes of an item that is there', async () => {
      const p = place()
      const set = (values: Record<string, unknown>, when?: Condition): StoreWrite => ({ set: p, values, ...(when && { when }) })
      expect(await lostAt(...together(set({ reply: 1 })))).toEqual([p])
      await put({ pk: p.pk, sk: p.sk, keep: true, version: 3, name: 'old', expiresAt: at(1000) })
      expect(await lostAt(...together(set({ reply: { status: 200 }, name: 'new', none: undefined }, { absent: 'reply' })))).toBeUndefined()
      expect(await lostAt(...together(set({ reply: 2 }, { absent: 'reply' })))).toEqual([p])
      expect(await lostAt(...together(set({ reply: 2 }, { version: 2 })))).toEqual([p])
      expect(await lostAt(...together(set({ reply: 2 }, { version: 0 })))).toEqual([p])
      expect(await lostAt(...together(set({ name: undefined }, { version: 3 })))).toBeUndefined()
      expect(await read(p)).toEqual({ pk: p.pk, sk: p.sk, keep: true, version: 3, reply: { status: 200 }, expiresAt: at(1000) })
      expect(await lostAt(...together(set({ expiresAt: at(-1) })))).toBeUndefined()
      expect(await lostAt(...together(set({ reply: 3 })))).toEqual([p])
    })

    test('add starts at 0, keeps the rest, and stays within its bounds', async () => {
      const p = place()
      const add = (by: Record<string, number>, atMost: Record<string, number> = {}): StoreWrite => ({ add: p, by, atMost })
      expect(await lostAt(...together(add({ friends: 2, open: 1 }, { friends: 3 })))).toBeUndefined()
      expect(await lostAt(...together(add({ friends: 2 }, { friends: 3 })))).toEqual([p])
      expect(await lostAt(...together(add({ friends: 1, open: 0 }, { friends: 3 })))).toBeUndefined()
      expect(await read(p)).toEqual({ pk: p.pk, sk: p.sk, friends: 3, open: 1 })
      expect(await lostAt(...together(add({ open: -2 })))).toEqual([p])
      expect(await lostAt(...together(add({ blocks: -1 })))).toEqual([p])
      expect(await lostAt(...together(add({ blocks: 4 }, { blocks: 3 })))).toEqual([p])
      expect(await lostAt(...together(add({ blocks: 3 }, { blocks: 3 })))).toBeUndefined()
      expect(await lostAt(...together(add({ friends: -1, open: -1 }, { friends: 1 })))).toBeUndefined()
      expect(await read(p)).toEqual({ pk: p.pk, sk: p.sk, friends: 2, open: 0, blocks: 3 })
      expect(await lostAt(...together(add({ friends: 0 })))).toBeUndefined()
    })

    test('add does not go on counting from what expired', async () => {
      const p = place()
      await put({ pk: p.pk, sk: p.sk, n: 5, expiresAt: at(-1) })
      expect(await lostAt(...together({ add: p, by: { n: 1 }, atMost: {} }))).toEqual([p])
    })
  })

  describe('a commit', () => {
    test('of nothing is done', async () => {
      await store().commit([])
    })

    test('takes 100 items of several tables and kinds, all or none', async () => {
      const pk = partition()
      const rows = Array.from({ length: 97 }, (_, n): StoreWrite => ({ put: { pk, sk: `r#${n}`, n }, table: n % 2 ? 'left' : 'right' }))
      const state = { table: 'left', pk, sk: 'state' }
      const counter = { table: 'right', pk, sk: 'counter' }
      const gone = { table: 'left', pk, sk: 'gone' }
      await put({ pk, sk: 'gone' })
      const all = (when: Condition): StoreWrite[] => [
        ...rows.slice(0, 50),
        { put: { pk, sk: 'state', version: 1 }, table: 'left', when },
        { add: counter, by: { n: 1 }, atMost: {} },
        { remove: gone },
        ...rows.slice(50),
      ]
      expect(await lostAt(...all({ version: 4 }))).toEqual([state])
      expect(await read(gone)).toEqual({ pk, sk: 'gone' })
      expect(await read(counter)).toBeUndefined()
      for (const table of ['left', 'right']) {
        const { items } = await store().query({ table, pk, prefix: 'r#', limit: 100 })
        expect(items).toEqual([])
      }
      expect(await lostAt(...all({ version: 0 }))).toBeUndefined()
      expect(await read(gone)).toBeUndefined()
      expect(await read(counter)).toEqual({ pk, sk: 'counter', n: 1 })
      const counts = await Promise.all(
        ['left', 'right'].map(async table => (await store().query({ table, pk, prefix: 'r#', limit: 100 })).items.length),
      )
      expect(counts).toEqual([48, 49])
    })

    test('names every place whose condition it lost', async () => {
      const places = ['a', 'b', 'c', 'd'].map(sk => ({ table: 'left', pk: partition(), sk }))
      const [a, b, c, d] = places as [Place, Place, Place, Place]
      await put({ pk: b.pk, sk: b.sk, version: 1 }, { pk: d.pk, sk: d.sk, version: 1 })
      const lost = await lostAt(
        version(a, 1, { version: 0 }),
        version(b, 1, { version: 0 }),
        { add: c, by: { n: 5 }, atMost: { n: 4 } },
        version(d, 2, { version: 1 }),
      )
      expect(lost).toEqual([b, c])
      expect(await store().get(places)).toEqual([undefined, { ...itemAt(b), version: 1 }, undefined, { ...itemAt(d), version: 1 }])
    })

    test('of more than 100 items, or of one place twice, is refused', async () => {
      const pk = partition()
      const rows = Array.from({ length: 101 }, (_, n): StoreWrite => ({ put: { pk, sk: `r#${n}` }, table: 'left' }))
      await expect(store().commit(rows)).rejects.toThrow('at most 100 items, not 101')
      await expect(store().commit([rows[0], { remove: { table: 'left', pk, sk: 'r#0' } }] as StoreWrite[])).rejects.toThrow(
        `left ${pk} r#0 twice`,
      )
      expect((await store().query({ table: 'left', pk, prefix: '', limit: 1 })).items).toEqual([])
    })

    test('with a wrong key, or that changes one, is refused', async () => {
      const p = place()
      await put({ pk: p.pk, sk: p.sk })
      await expect(put({ pk: p.pk, sk: '' })).rejects.toThrow('sk of a place is empty')
      await expect(put({ pk: 'x'.repeat(2049), sk: 'a' })).rejects.toThrow('longer than 2048 bytes')
      await expect(store().commit([{ set: p, values: { sk: 'b' } }])).rejects.toThrow('it changes its key')
      await expect(store().commit([{ set: p, values: {} }])).rejects.toThrow('it sets nothing')
      await expect(store().commit([{ add: p, by: { n: Number.NaN }, atMost: {} }])).rejects.toThrow('it adds')
    })

    test('that adds to what is no number is refused', async () => {
      const p = place()
      await put({ pk: p.pk, sk: p.sk, n: 'three' })
      await expect(store().commit([{ add: p, by: { n: 1 }, atMost: {} }])).rejects.toThrow()
      expect(await read(p)).toEqual({ ...itemAt(p), n: 'three' })
    })
  })
}

const itemAt = ({ pk, sk }: Place) => ({ pk, sk })
