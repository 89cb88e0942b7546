import { describe, expect, test } from 'vitest'
import type { Bench } from '../conformance.ts'

export const valueConformance = ({ store, partition, put, read, at, setTime }: Bench) => {
  describe('values', () => {
    const kept: Record<string, unknown> = {
      'an empty string': '',
      'any script': 'Grüße 你好 👩‍👩‍👧 \u0000 \uffff "quoted"\n\\',
      'a zero': 0,
      'a negative fraction': -0.1,
      'a sum that is not round': 0.1 + 0.2,
      'a small number': 1e-7,
      'the largest integer': Number.MAX_SAFE_INTEGER,
      'the smallest integer': Number.MIN_SAFE_INTEGER,
      true: true,
      false: false,
      null: null,
      'an empty list': [],
      'an empty object': {},
      'a list of all': ['', 0, null, false, [], {}, [[1, [2]]]],
      'an object in objects': { a: { b: { c: [{ d: 1, 'with-a.dot and #': ':x' }] } } },
      'names that DynamoDB reserves': { name: 1, status: 2, data: 3, size: 4 },
    }
    test.for(Object.entries(kept))('%s comes back as it went', async ([, value]) => {
      const pk = partition()
      await put({ pk, sk: 'a', value })
      expect(await read({ table: 'left', pk, sk: 'a' })).toStrictEqual({ pk, sk: 'a', value })
    })

    test('what is undefined is not stored', async () => {
      const pk = partition()
      await put({ pk, sk: 'a', none: undefined, inner: { none: undefined, list: [1, undefined, 2] } })
      expect(await read({ table: 'left', pk, sk: 'a' })).toStrictEqual({ pk, sk: 'a', inner: { list: [1, 2] } })
    })

    test.for([
      ['not a number', Number.NaN],
      ['infinity', Number.POSITIVE_INFINITY],
      ['an integer that is not exact', Number.MAX_SAFE_INTEGER + 1],
      ['a date', new Date(0)],
    ] as const)('%s is refused, and nothing of its commit is written', async ([, value]) => {
      const pk = partition()
      await expect(put({ pk, sk: 'a' }, { pk, sk: 'b', deep: { value } })).rejects.toThrow()
      expect(await read({ table: 'left', pk, sk: 'a' })).toBeUndefined()
    })

    test('an item may have 300 KB', async () => {
      const pk = partition()
      const text = 'ü'.repeat(150_000)
      await put({ pk, sk: 'a', text })
      expect(await read({ table: 'left', pk, sk: 'a' })).toEqual({ pk, sk: 'a', text })
    })

    test('an item of more than 400 KB is refused by name, alone or with others, put or grown', async () => {
      const pk = partition()
      const text = 'x'.repeat(420_000)
      const named = `larger than the 400 KB of an item: left ${pk} b`
      await expect(put({ pk, sk: 'b', text })).rejects.toThrow(named)
      await expect(put({ pk, sk: 'a' }, { pk, sk: 'b', text })).rejects.toThrow(named)
      expect(await store().get(['a', 'b'].map(sk => ({ table: 'left', pk, sk })))).toEqual([undefined, undefined])
      await put({ pk, sk: 'b', text: 'x'.repeat(300_000) })
      const grow = { set: { table: 'left', pk, sk: 'b' }, values: { more: 'x'.repeat(150_000) } }
      await expect(store().commit([grow])).rejects.toThrow(named)
      await expect(store().commit([{ put: { pk, sk: 'a' }, table: 'left' }, grow])).rejects.toThrow(named)
      expect(await read({ table: 'left', pk, sk: 'a' })).toBeUndefined()
    })
  })

  describe('expiry', () => {
    test('an item counts as gone from its second on', async () => {
      const pk = partition()
      await put({ pk, sk: 'a', expiresAt: at(10) })
      setTime(9)
      expect(await read({ table: 'left', pk, sk: 'a' })).toEqual({ pk, sk: 'a', expiresAt: at(10) })
      setTime(10)
      expect(await read({ table: 'left', pk, sk: 'a' })).toBeUndefined()
      expect(await store().query({ table: 'left', pk, prefix: '', limit: 10 })).toEqual({ items: [], more: false })
      setTime(0)
    })

    test('a put without an end makes it stay again', async () => {
      const pk = partition()
      await put({ pk, sk: 'a', expiresAt: at(-1) })
      await put({ pk, sk: 'a', n: 2 })
      expect(await read({ table: 'left', pk, sk: 'a' })).toEqual({ pk, sk: 'a', n: 2 })
    })
  })
}
