import { describe, expect, test } from 'vitest'
import { storeConformance } from './conformance.ts'
import { memoryStore } from './memory.ts'

storeConformance('memory', async clock => ({ store: memoryStore({ clock }), close: async () => {} }))

describe('the store in memory', () => {
  const clock = { now: () => 1_000_000 }
  const place = { table: 't', pk: 'a', sk: 'b' }
  const put = { put: { pk: 'a', sk: 'b', n: 1 }, table: 't' }

  test('can fail before an operation: nothing happened', async () => {
    let failing = true
    const store = memoryStore({
      clock,
      fault: (operation, phase) => {
        if (failing && operation === 'commit' && phase === 'before') throw new Error('no connection')
      },
    })
    await expect(store.commit([put])).rejects.toThrow('no connection')
    failing = false
    expect(await store.get([place])).toEqual([undefined])
  })

  test('can commit and lose the answer', async () => {
    const store = memoryStore({
      clock,
      fault: async (operation, phase) => {
        if (operation === 'commit' && phase === 'after') throw new Error('no answer')
      },
    })
    await expect(store.commit([put])).rejects.toThrow('no answer')
    expect(await store.get([place])).toEqual([{ pk: 'a', sk: 'b', n: 1 }])
  })

  test('tells of each operation', async () => {
    const seen: string[] = []
    const store = memoryStore({ clock, fault: (operation, phase) => void seen.push(`${operation} ${phase}`) })
    await store.commit([put])
    await store.get([place])
    await store.query({ table: 't', pk: 'a', prefix: '', limit: 1 })
    expect(seen).toEqual(['commit before', 'commit after', 'get before', 'get after', 'query before', 'query after'])
  })

  test('shows all it has, in order, as copies', async () => {
    const store = memoryStore({ clock })
    const item = (pk: string, sk: string) => ({ pk, sk, list: [1], expiresAt: 5 })
    await store.commit([
      { put: item('b', '2'), table: 't' },
      { put: item('b', '1'), table: 't' },
      { put: item('a', '1'), table: 't' },
      { put: item('x', '1'), table: 's' },
    ])
    const shown = store.dump()
    expect(shown).toEqual({ s: [item('x', '1')], t: [item('a', '1'), item('b', '1'), item('b', '2')] })
    Object.assign(shown.s?.[0] ?? {}, { list: 'gone' })
    expect(store.dump().s).toEqual([item('x', '1')])
  })
})
