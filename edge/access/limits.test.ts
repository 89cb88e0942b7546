import { describe, expect, test } from 'vitest'
import { EdgeProblem } from '../request/problems.ts'
import { parseAddress } from './address.ts'
import { budget, limits, within } from './limits.ts'

describe('a budget', () => {
  test('gives its burst at once, then its rate', () => {
    const reads = budget('reads', 10, 3, 100)
    expect([1, 2, 3, 4].map(() => reads.draw('ana', 0).retryAfter)).toEqual([0, 0, 0, 1])
    expect(reads.draw('ben', 0).retryAfter).toBe(0)
    expect(reads.draw('ana', 100).retryAfter).toBe(0)
    expect(reads.draw('ana', 100).retryAfter).toBe(1)
  })

  test('tells what is left and when it is full again', () => {
    const reads = budget('reads', 100, 1000, 100)
    expect(reads.draw('ana', 0)).toMatchObject({ policy: '"reads";q=1000;w=10', limit: '"reads";r=999;t=1' })
    expect(reads.peek('ana', 0).limit).toBe('"reads";r=999;t=1')
    for (let i = 0; i < 500; i++) reads.draw('ana', 0)
    expect(reads.draw('ana', 0).limit).toBe('"reads";r=498;t=6')
  })

  test('holds no more than its burst, however long nobody draws, and does not go backwards with the clock', () => {
    const reads = budget('reads', 100, 2, 100)
    reads.draw('ana', 1_000_000)
    expect(reads.draw('ana', 9_000_000).limit).toContain('r=1')
    expect(reads.draw('ana', 0).limit).toContain('r=0')
  })

  test('forgets the longest unused of too many', () => {
    const reads = budget('reads', 0, 1, 2)
    for (const key of ['a', 'b', 'c']) reads.draw(key, 0)
    expect(reads.draw('c', 0).retryAfter).toBe(3600)
    expect(reads.draw('a', 0).retryAfter).toBe(0)
  })

  test('gives what costs more only when there is as much', () => {
    const refusals = budget('refusals', 10, 15, 100)
    expect([10, 10, 5, 1].map(cost => refusals.draw('ana', 0, cost).retryAfter)).toEqual([0, 1, 0, 1])
    expect(refusals.draw('ana', 900, 10).retryAfter).toBe(1)
    expect(refusals.draw('ana', 1_000, 10).retryAfter).toBe(0)
  })

  test('that is used up is a problem with its time', () => {
    const writes = budget('writes', 0.5, 1, 10)
    within(writes.draw('ana', 0))
    const thrown = (() => {
      try {
        within(writes.draw('ana', 0))
      } catch (error) {
        return error
      }
    })()
    expect(thrown).toBeInstanceOf(EdgeProblem)
    expect(thrown).toMatchObject({ code: 'rate-limited', status: 429, headers: { 'retry-after': '2' } })
  })
})

test('loopback is exempt from the budgets of addresses only with embedded engines', () => {
  const numbers = { READS_PER_SECOND: 1, READS_BURST: 1, WRITES_PER_SECOND: 1, WRITES_BURST: 1 }
  const exempt = (EMBEDDED: boolean, text: string) => {
    const address = parseAddress(text)
    return address !== undefined && limits({ ...numbers, EMBEDDED }).exempt(address)
  }
  expect([exempt(true, '127.0.0.1'), exempt(true, '::1'), exempt(true, '192.0.2.1'), exempt(false, '127.0.0.1')]).toEqual([
    true,
    true,
    false,
    false,
  ])
})
