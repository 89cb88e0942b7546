import { describe, expect, test } from 'vitest'
import { noteEngineCall, withEngineCalls } from '../tracing/span.ts'
import { batcher, type Outcome } from './batcher.ts'

const ok = <T>(value: T): Outcome<T> => ({ ok: true, value })

/** A flush that waits until it is let go; `requests` are the items of each, in the order they were sent. */
const held = <T>() => {
  const requests: T[][] = []
  const release: (() => void)[] = []
  return {
    requests,
    flush: (items: readonly T[]) =>
      new Promise<Outcome<T>[]>(resolve => {
        requests.push([...items])
        release.push(() => resolve(items.map(ok)))
      }),
    /** Lets the n-th request end. */
    release: (n: number) => release[n]?.(),
    sent: async (n: number) => {
      while (requests.length < n) await new Promise(setImmediate)
    },
  }
}

describe('gather', () => {
  test('callers of one tick share a request and get each its own answer', async () => {
    const requests: number[][] = []
    const double = batcher<number, number>({
      count: 10,
      flush: async items => {
        requests.push([...items])
        return items.map(n => ok(n * 2))
      },
    })
    expect(await Promise.all([double(1), double(2), double(3)])).toEqual([2, 4, 6])
    expect(requests).toEqual([[1, 2, 3]])
  })

  test('splits by count and by bytes; an item that is too large alone is still sent', async () => {
    const requests: string[][] = []
    const send = batcher<string, string>({
      count: 3,
      bytes: { most: 10, of: s => s.length },
      flush: async items => {
        requests.push([...items])
        return items.map(ok)
      },
    })
    const words = ['1', '2', '3', '4', '55555', '6666', 'seven777', 'x'.repeat(50), '9']
    expect(await Promise.all(words.map(send))).toEqual(words)
    expect(requests).toEqual([['1', '2', '3'], ['4', '55555', '6666'], ['seven777'], ['x'.repeat(50)], ['9']])
  })

  test('while all lanes are busy callers pile up for the next request', async () => {
    const { flush, requests, release, sent } = held<number>()
    const send = batcher({ count: 10, concurrency: 2, flush })
    const first = send(1)
    await sent(1)
    const second = send(2)
    await sent(2)
    const rest = [send(3), send(4), send(5)]
    await new Promise(setImmediate)
    expect(requests).toEqual([[1], [2]])
    release(1)
    await second
    await sent(3)
    expect(requests).toEqual([[1], [2], [3, 4, 5]])
    release(0)
    release(2)
    expect(await Promise.all([first, ...rest])).toEqual([1, 3, 4, 5])
  })

  test('items of one order never lie in two requests under way, others pass them', async () => {
    const { flush, requests, release, sent } = held<string>()
    const send = batcher<string, string>({ count: 2, concurrency: 2, order: s => s[0], flush })
    const all = ['a1', 'b1', 'a2', 'c1', 'a3'].map(send)
    await sent(2)
    expect(requests).toEqual([['a1', 'b1'], ['c1']])
    release(0)
    await sent(3)
    expect(requests[2]).toEqual(['a2', 'a3'])
    release(1)
    release(2)
    expect(await Promise.all(all)).toEqual(['a1', 'b1', 'a2', 'c1', 'a3'])
  })

  test('one item fails its own caller only', async () => {
    const send = batcher<number, number>({
      count: 10,
      flush: async items => items.map(n => (n === 2 ? { ok: false, error: new Error('two is refused') } : ok(n))),
    })
    const settled = await Promise.allSettled([send(1), send(2), send(3)])
    expect(settled.map(s => (s.status === 'fulfilled' ? s.value : String(s.reason)))).toEqual([1, 'Error: two is refused', 3])
  })

  test('a request that fails fails its callers, and the lane goes on', async () => {
    let requests = 0
    const send = batcher<number, number>({
      count: 10,
      flush: async items => {
        if (requests++ === 0) throw new Error('no connection')
        return items.map(ok)
      },
    })
    const settled = await Promise.allSettled([send(1), send(2)])
    expect(settled.map(s => s.status)).toEqual(['rejected', 'rejected'])
    expect(await send(3)).toBe(3)
  })

  test('an answer that leaves an item out fails that item', async () => {
    const send = batcher<number, number>({ count: 10, flush: async items => items.slice(1).map(ok) })
    const [first, last] = await Promise.allSettled([send(1), send(2)])
    expect(first).toMatchObject({ status: 'fulfilled' })
    expect(last).toMatchObject({ status: 'rejected', reason: { message: 'the request said nothing of this item' } })
  })

  test('an item that cannot be measured fails alone, and the lane goes on', async () => {
    const of = (s: string) => {
      if (s === 'bad') throw new Error('no size')
      return s.length
    }
    const send = batcher<string, string>({ count: 10, bytes: { most: 100, of }, flush: async items => items.map(ok) })
    const settled = await Promise.allSettled([send('a'), send('bad'), send('b')])
    expect(settled.map(s => s.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await send('c')).toBe('c')
  })

  test('a request counts for the span of the caller that began it', async () => {
    const send = batcher<string, string>({
      count: 10,
      flush: async items => {
        noteEngineCall(`for ${items[0]}`, 1)
        return items.map(ok)
      },
    })
    const spans = await Promise.all(
      ['a', 'b', 'c'].map((item, n) =>
        withEngineCalls(async () => {
          // Each joins after the request before it has left.
          for (let i = 0; i <= n * 3; i++) await new Promise(setImmediate)
          await send(item)
        }),
      ),
    )
    expect(spans.map(s => s.engine.map(e => e.kind))).toEqual([['for a'], ['for b'], ['for c']])
  })

  test('a request that waited for the lane counts for its own caller', async () => {
    const { flush, release, sent } = held<string>()
    const send = batcher<string, string>({
      count: 10,
      flush: items => {
        noteEngineCall(`for ${items[0]}`, 1)
        return flush(items)
      },
    })
    const a = withEngineCalls(() => send('a'))
    await sent(1)
    const b = withEngineCalls(() => send('b'))
    await new Promise(setImmediate)
    release(0)
    await sent(2)
    release(1)
    expect((await a).engine.map(e => e.kind)).toEqual(['for a'])
    expect((await b).engine.map(e => e.kind)).toEqual(['for b'])
  })
})
