import { describe, expect, test } from 'vitest'
import { countAttempts, lockOut } from './attempts.ts'
import { openChallenges } from './challenges.ts'

const clockAt = (time: number) => {
  const clock = { time, now: () => clock.time }
  return clock
}

describe('a challenge', () => {
  test('is answered once, and in three minutes', () => {
    const clock = clockAt(1_000)
    const challenges = openChallenges<string>(clock.now)
    const once = challenges.open('ann', 'first')
    expect([challenges.take(once), challenges.take(once), challenges.take('nonsense')]).toEqual(['first', undefined, undefined])
    const [early, late] = [challenges.open('ann', 'early'), challenges.open('ann', 'late')]
    clock.time += 179_999
    expect(challenges.take(early)).toBe('early')
    clock.time += 1
    expect(challenges.take(late)).toBeUndefined()
  })

  test('ends when the same name opened ten more, and leaves those of others', () => {
    const challenges = openChallenges<number>(() => 0)
    const other = challenges.open('bob', -1)
    const ids = Array.from({ length: 11 }, (_, n) => challenges.open('ann', n))
    expect(ids.map(id => challenges.take(id))).toEqual([undefined, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(challenges.take(other)).toBe(-1)
  })

  test('ends when ten thousand more are open', () => {
    const challenges = openChallenges<number>(() => 0)
    const [first, second] = [challenges.open('ann', 1), challenges.open('bob', 2)]
    for (let n = 0; n < 9_999; n++) challenges.open(`person ${n}`, n)
    expect([challenges.take(first), challenges.take(second)]).toEqual([undefined, 2])
  })
})

test('attempts are counted by name within the window', () => {
  const clock = clockAt(0)
  const attempts = countAttempts({ max: 2, windowMs: 100 }, clock.now)
  attempts.count('ann')
  clock.time = 50
  attempts.count('ann')
  expect([attempts.isExhausted('ann'), attempts.isExhausted('bob')]).toEqual([true, false])
  clock.time = 100
  expect([attempts.isExhausted('ann'), attempts.within('ann')]).toEqual([false, 1])
  attempts.count('ann')
  attempts.forget('ann')
  expect(attempts.within('ann')).toBe(0)
})

test('the fifth wrong password locks for a second, each further one twice as long, up to a quarter of an hour', () => {
  const clock = clockAt(0)
  const misses = lockOut(clock.now)
  const lockedFor = (): number => {
    let ms = 0
    for (; misses.isLocked('ann'); ms += 500) clock.time += 500
    return ms
  }
  const locks = Array.from({ length: 17 }, () => {
    misses.count('ann')
    return lockedFor()
  })
  expect(locks).toEqual([0, 0, 0, 0, ...[1, 2, 4, 8, 16, 32, 64, 128, 256, 512].map(s => s * 1_000), 900_000, 900_000, 900_000])
  misses.forget('ann')
  misses.count('ann')
  expect(misses.isLocked('ann')).toBe(false)
})
