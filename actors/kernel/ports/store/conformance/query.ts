import { describe, expect, test } from 'vitest'
import type { Bench } from '../conformance.ts'
import type { Item, Range } from '../port.ts'

export const queryConformance = ({ store, partition, put, at }: Bench) => {
  const of = async (range: Omit<Range, 'table'>) => {
    const { items, more } = await store().query({ table: 'left', ...range })
    return { sks: items.map(item => item.sk), more }
  }
  const fill = async (...sks: string[]): Promise<string> => {
    const pk = partition()
    for (let from = 0; from < sks.length; from += 100) await put(...sks.slice(from, from + 100).map(sk => ({ pk, sk })))
    return pk
  }

  describe('query', () => {
    test('gives the whole items of one partition in the order of their keys', async () => {
      const pk = await fill('b', 'c', 'a')
      await put({ pk, sk: 'b', deep: { list: [1] } })
      await fill('other')
      expect(await store().query({ table: 'left', pk, prefix: '', limit: 10 })).toEqual({
        items: [
          { pk, sk: 'a' },
          { pk, sk: 'b', deep: { list: [1] } },
          { pk, sk: 'c' },
        ],
        more: false,
      })
      expect(await store().query({ table: 'right', pk, prefix: '', limit: 10 })).toEqual({ items: [], more: false })
    })

    test('orders keys by their bytes', async () => {
      // Each but the last is above the one before in UTF-8; by UTF-16 the emoji would come before U+FFxx.
      const sks = ['A', 'Z', 'a', 'a#', 'aa', 'z', 'é', '你', '\uffee', '👩']
      const pk = await fill(...sks.toReversed())
      expect((await of({ pk, prefix: '', limit: 100 })).sks).toEqual(sks)
      expect((await of({ pk, prefix: '', limit: 100, reverse: true })).sks).toEqual(sks.toReversed())
    })

    test('keeps to the prefix', async () => {
      const pk = await fill('like', 'like#1', 'like#2', 'like$', 'lik#9', 'post#1')
      expect(await of({ pk, prefix: 'like#', limit: 10 })).toEqual({ sks: ['like#1', 'like#2'], more: false })
      expect(await of({ pk, prefix: 'like#', limit: 10, reverse: true })).toEqual({ sks: ['like#2', 'like#1'], more: false })
      expect(await of({ pk, prefix: 'none', limit: 10 })).toEqual({ sks: [], more: false })
    })

    test('says whether there are more, and goes on after a key, either way', async () => {
      const sks = ['k#1', 'k#2', 'k#3', 'k#4', 'k#5']
      const pk = await fill(...sks, 'j', 'l')
      expect(await of({ pk, prefix: 'k#', limit: 2 })).toEqual({ sks: ['k#1', 'k#2'], more: true })
      expect(await of({ pk, prefix: 'k#', limit: 2, after: 'k#2' })).toEqual({ sks: ['k#3', 'k#4'], more: true })
      expect(await of({ pk, prefix: 'k#', limit: 2, after: 'k#3' })).toEqual({ sks: ['k#4', 'k#5'], more: false })
      expect(await of({ pk, prefix: 'k#', limit: 5 })).toEqual({ sks, more: false })
      expect(await of({ pk, prefix: 'k#', limit: 2, after: 'k#5' })).toEqual({ sks: [], more: false })
      expect(await of({ pk, prefix: 'k#', limit: 2, after: 'k#4', reverse: true })).toEqual({ sks: ['k#3', 'k#2'], more: true })
      expect(await of({ pk, prefix: 'k#', limit: 2, after: 'k#3', reverse: true })).toEqual({ sks: ['k#2', 'k#1'], more: false })
    })

    test('takes a key to go on after that is not there, within the prefix or not', async () => {
      const pk = await fill('k#1', 'k#3')
      expect((await of({ pk, prefix: 'k#', limit: 9, after: 'k#2' })).sks).toEqual(['k#3'])
      expect((await of({ pk, prefix: 'k#', limit: 9, after: 'k#2', reverse: true })).sks).toEqual(['k#1'])
      expect((await of({ pk, prefix: 'k#', limit: 9, after: 'a' })).sks).toEqual(['k#1', 'k#3'])
      expect((await of({ pk, prefix: 'k#', limit: 9, after: 'z' })).sks).toEqual([])
      expect((await of({ pk, prefix: 'k#', limit: 9, after: 'z', reverse: true })).sks).toEqual(['k#3', 'k#1'])
      expect((await of({ pk, prefix: 'k#', limit: 9, after: 'a', reverse: true })).sks).toEqual([])
    })

    test('leaves out expired items and still fills the page', async () => {
      const pk = partition()
      const items: Item[] = Array.from({ length: 90 }, (_, n) => ({ pk, sk: `k#${String(n).padStart(2, '0')}`, expiresAt: at(-1) }))
      const live = [4, 60, 61, 89].map(n => ({ ...items[n], expiresAt: at(1000) }) as Item)
      await put(...items.filter(item => !live.some(l => l.sk === item.sk)), ...live)
      expect(await of({ pk, prefix: 'k#', limit: 3 })).toEqual({ sks: ['k#04', 'k#60', 'k#61'], more: true })
      expect(await of({ pk, prefix: 'k#', limit: 3, after: 'k#04' })).toEqual({ sks: ['k#60', 'k#61', 'k#89'], more: false })
      expect(await of({ pk, prefix: 'k#', limit: 2, reverse: true })).toEqual({ sks: ['k#89', 'k#61'], more: true })
    })

    test('walks through a partition of many items, page by page, each once', async () => {
      const sks = Array.from({ length: 250 }, (_, n) => `k#${String(n).padStart(3, '0')}`)
      const pk = await fill(...sks)
      const seen: string[] = []
      for (let after: string | undefined, more = true; more; ) {
        const page = await of({ pk, prefix: 'k#', limit: 37, ...(after === undefined ? {} : { after }) })
        seen.push(...page.sks)
        after = page.sks.at(-1)
        more = page.more
      }
      expect(seen).toEqual(sks)
    })

    test('gives a page of several megabytes', async () => {
      const pk = partition()
      const text = 'x'.repeat(200_000)
      const sks = Array.from({ length: 12 }, (_, n) => `k#${String(n).padStart(2, '0')}`)
      for (const sk of sks) await put({ pk, sk, text })
      const { items, more } = await store().query({ table: 'left', pk, prefix: 'k#', limit: 12 })
      expect(items.map(item => [item.sk, String(item.text).length])).toEqual(sks.map(sk => [sk, 200_000]))
      expect(more).toBe(false)
    })

    test('sees what was committed before', async () => {
      const pk = partition()
      for (let n = 1; n <= 10; n++) {
        await put({ pk, sk: `k#${n}` })
        expect((await of({ pk, prefix: 'k#', limit: 100 })).sks).toHaveLength(n)
      }
    })

    test('gives items that nobody else holds', async () => {
      const pk = partition()
      await put({ pk, sk: 'a', list: [1] })
      const [item] = (await store().query({ table: 'left', pk, prefix: '', limit: 1 })).items
      Object.assign(item ?? {}, { list: 'gone' })
      expect((await store().query({ table: 'left', pk, prefix: '', limit: 1 })).items).toEqual([{ pk, sk: 'a', list: [1] }])
    })
  })
}
