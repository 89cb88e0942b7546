import { expect, test } from 'vitest'
import { createLocks } from './locks.ts'

/** Work that reports when it runs and ends when told to. */
function work(log: string[], name: string) {
  let end = () => {}
  const ended = new Promise<void>(resolve => {
    end = resolve
  })
  const run = async () => {
    log.push(`${name} runs`)
    await ended
    log.push(`${name} ends`)
  }
  return { run, end }
}

test('those who share a name take turns in the order they came, others do not wait', async () => {
  const hold = createLocks()
  const log: string[] = []
  const [one, two, three] = [work(log, 'one'), work(log, 'two'), work(log, 'three')]
  const all = [hold(['a', 'b'], one.run), hold(['b', 'c'], two.run), hold(['d'], three.run)]
  three.end()
  await all[2]
  expect(log).toEqual(['one runs', 'three runs', 'three ends'])
  one.end()
  two.end()
  await Promise.all(all)
  expect(log.slice(3)).toEqual(['one ends', 'two runs', 'two ends'])
})

test('names in opposite orders do not block each other', async () => {
  const hold = createLocks()
  let done = 0
  const jobs = Array.from({ length: 100 }, (_, i) =>
    hold(i % 2 ? ['a', 'b', 'c'] : ['c', 'b', 'a'], async () => {
      await Promise.resolve()
      done += 1
    }),
  )
  await Promise.all(jobs)
  expect(done).toBe(100)
})

test('work that throws releases its names', async () => {
  const hold = createLocks()
  await expect(hold(['a'], () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(await hold(['a'], async () => 'next')).toBe('next')
})
