import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Job, Jobs, JobWorker, NewJob, Outcome } from './port.ts'

export type JobsUnderTest = {
  /** Jobs as another process has them; a job whose worker gives no sign of life is another's after a second. Closing them is that process's death. */
  readonly connect: () => Promise<Jobs>
  readonly close: () => Promise<void>
}

const DEADLINE = { timeout: 40_000, interval: 10 }
const QUICK = { firstPauseMs: 5, longestPauseMs: 50 }

/** A handler that remembers what it was given. */
const watching = (answer: (job: Job) => Outcome | Promise<Outcome>) => {
  const tries: { readonly job: Job; readonly at: number }[] = []
  return {
    tries,
    of: (id: string) => tries.filter(t => t.job.id === id),
    handler: async (job: Job): Promise<Outcome> => {
      tries.push({ job, at: Date.now() })
      return answer(job)
    },
  }
}

/** What actors rely on wherever jobs are kept. */
export const jobsConformance = (name: string, open: () => Promise<JobsUnderTest>): void => {
  describe(`jobs: ${name}`, { timeout: 60_000 }, () => {
    let under: JobsUnderTest
    let jobs: Jobs
    let names = 0
    const workers: JobWorker[] = []
    beforeAll(async () => {
      under = await open()
      jobs = await under.connect()
    }, 120_000)
    afterAll(async () => {
      await Promise.all(workers.map(w => w.stop()))
      await jobs.close()
      await under.close()
    })
    /** Each test has a queue of its own. */
    const queueName = () => `q-${String.fromCharCode(97 + names++)}`
    const work = (queue: string, concurrency: number, handler: (job: Job) => Promise<Outcome>, on = jobs) => {
      const worker = on.work(queue, { concurrency, ...QUICK }, handler)
      workers.push(worker)
      return worker
    }
    const job = (id: string, data: unknown = null, until = Date.now() + 600_000): NewJob => ({ id, data, until })
    const settled = (queue: string, counts: Partial<Awaited<ReturnType<Jobs['counts']>>>) =>
      vi.waitFor(
        async () => expect(await jobs.counts(queue)).toEqual({ waiting: 0, paused: 0, active: 0, done: 0, givenUp: 0, ...counts }),
        DEADLINE,
      )

    test('a job is done once, with the data it was given, whoever added it', async () => {
      const queue = queueName()
      const data = { text: 'grüße 😀 \u0000 \ud800', none: null, list: [1.5, 'x'], deep: { a: true } }
      const until = Date.now() + 600_000
      const other = await under.connect()
      await other.add(queue, [job('one:1%', data, until), job('17', 'text', until)])
      expect(await jobs.counts(queue)).toEqual({ waiting: 2, paused: 0, active: 0, done: 0, givenUp: 0 })
      const seen = watching(() => 'done')
      work(queue, 2, seen.handler)
      await settled(queue, { done: 2 })
      expect(seen.tries.map(t => t.job).sort((a, b) => a.id.localeCompare(b.id))).toEqual([
        { id: '17', data: 'text', until, attempt: 1 },
        { id: 'one:1%', data, until, attempt: 1 },
      ])
      await other.close()
    })

    test('a worker that waits is given what comes', async () => {
      const queue = queueName()
      const seen = watching(() => 'done')
      work(queue, 1, seen.handler)
      for (const id of ['a', 'b', 'c']) {
        await jobs.add(queue, [job(id)])
        await vi.waitFor(() => expect(seen.of(id).length).toBe(1), DEADLINE)
      }
    })

    test('many jobs are added at once, and each is done once by one of two workers', async () => {
      const queue = queueName()
      const ids = Array.from({ length: 300 }, (_, n) => `j${n}`)
      const seen = watching(() => 'done')
      work(queue, 4, seen.handler)
      work(queue, 4, seen.handler)
      await jobs.add(
        queue,
        ids.map(id => job(id)),
      )
      await settled(queue, { done: ids.length })
      expect(seen.tries.map(t => t.job.id).sort()).toEqual(ids.sort())
    })

    test('the same id is the same job: while it waits, works, is tried again, is done or was given up', async () => {
      const queue = queueName()
      const seen = watching(({ id }) => (id === 'bad' ? { giveUp: 'never' } : 'done'))
      await jobs.add(queue, [job('a'), job('a'), job('bad')])
      await jobs.add(queue, [job('a')])
      work(queue, 1, seen.handler)
      await settled(queue, { done: 1, givenUp: 1 })
      await jobs.add(queue, [job('a'), job('bad'), job('last')])
      await settled(queue, { done: 2, givenUp: 1 })
      expect(seen.tries.map(t => t.job.id).sort()).toEqual(['a', 'bad', 'last'])
    })

    test('a job that fails is tried again with a growing number, whether it says so or throws', async () => {
      const queue = queueName()
      const seen = watching(({ id, attempt }) => {
        if (attempt > 3) return 'done'
        if (id === 'throws') throw new Error('no route')
        return { retry: 'not yet' }
      })
      work(queue, 2, seen.handler)
      await jobs.add(queue, [job('throws'), job('asks')])
      await settled(queue, { done: 2 })
      for (const id of ['throws', 'asks']) expect(seen.of(id).map(t => t.job.attempt)).toEqual([1, 2, 3, 4])
    })

    test('a job that was not tried, because it was not the moment to, keeps its number, and is not put off ever longer', async () => {
      const queue = queueName()
      let calls = 0
      const seen = watching(() => {
        calls += 1
        if (calls <= 8) return { retry: 'not now', afterMs: 20, untried: true }
        return calls === 9 ? { retry: 'no' } : 'done'
      })
      work(queue, 1, seen.handler)
      await jobs.add(queue, [job('patient')])
      await settled(queue, { done: 1 })
      expect(seen.tries.map(t => t.job.attempt)).toEqual([...Array(9).fill(1), 2])
    })

    test('a job that is put off beyond its time is given up, and was never tried', async () => {
      const queue = queueName()
      const seen = watching(() => ({ retry: 'closed', afterMs: 600_000, untried: true }))
      work(queue, 1, seen.handler)
      await jobs.add(queue, [job('closed', null, Date.now() + 60_000)])
      await settled(queue, { givenUp: 1 })
      expect((await jobs.givenUp(queue))[0]).toMatchObject({ reason: 'its time was over after 0 tries, the last: closed' })
    })

    test('a job is not tried again before it may be', async () => {
      const queue = queueName()
      const answered: number[] = []
      const seen = watching(({ attempt }) => {
        if (attempt === 2) return 'done'
        answered.push(Date.now())
        return { retry: '429', afterMs: 1_500 }
      })
      work(queue, 1, seen.handler)
      await jobs.add(queue, [job('later')])
      await vi.waitFor(async () => expect((await jobs.counts(queue)).paused).toBe(1), DEADLINE)
      await settled(queue, { done: 1 })
      expect((seen.tries[1]?.at ?? 0) - (answered[0] ?? 0)).toBeGreaterThanOrEqual(1_500)
    })

    test('a job that waits to be tried again holds up no other', async () => {
      const queue = queueName()
      const seen = watching(({ id }) => (id === 'stuck' ? { retry: 'no', afterMs: 500_000 } : 'done'))
      work(queue, 1, seen.handler)
      await jobs.add(queue, [job('stuck')])
      await jobs.add(queue, [job('next')])
      await settled(queue, { paused: 1, done: 1 })
    })

    test('a job whose time would be over by its next try is given up, with what went wrong', async () => {
      const queue = queueName()
      const seen = watching(({ attempt }) => (attempt < 3 ? { retry: '503' } : { retry: 'still 503', afterMs: 900_000 }))
      work(queue, 1, seen.handler)
      await jobs.add(queue, [job('short', { n: 1 }, Date.now() + 600_000)])
      await settled(queue, { givenUp: 1 })
      expect(seen.tries.length).toBe(3)
      expect(await jobs.givenUp(queue)).toEqual([
        {
          id: 'short',
          data: { n: 1 },
          reason: 'its time was over after 3 tries, the last: still 503',
          attempts: 3,
          at: expect.any(Number),
        },
      ])
    })

    test('a job that comes too late is not tried at all', async () => {
      const queue = queueName()
      const seen = watching(() => 'done')
      await jobs.add(queue, [job('late', null, Date.now() - 1)])
      work(queue, 1, seen.handler)
      await settled(queue, { givenUp: 1 })
      expect(seen.tries).toEqual([])
      expect((await jobs.givenUp(queue))[0]).toMatchObject({ id: 'late', reason: 'its time was over before its try 1' })
    })

    test('a job that is hopeless is kept with its reason, the latest first, whatever the reason holds', async () => {
      const queue = queueName()
      const hostile = ['bullmq:rateLimitExceeded', 'half \ud800 and \u0000 nothing', 'x'.repeat(5_000)]
      const seen = watching(({ data }) => ({ giveUp: String(data) }))
      work(queue, 1, seen.handler)
      for (const [n, reason] of hostile.entries()) {
        await jobs.add(queue, [job(`h${n}`, reason)])
        await settled(queue, { givenUp: n + 1 })
      }
      expect((await jobs.givenUp(queue)).map(g => [g.id, g.attempts, g.reason])).toEqual([
        ['h2', 1, 'x'.repeat(500)],
        ['h1', 1, 'half   and   nothing'],
        ['h0', 1, 'bullmq rateLimitExceeded'],
      ])
      expect((await jobs.givenUp(queue, 1)).map(g => g.id)).toEqual(['h2'])
      expect(seen.tries.length).toBe(3)
    })

    test('stopping takes nothing more, finishes what is under way, and leaves the rest to others', async () => {
      const queue = queueName()
      let finish: () => void = () => {}
      const finished = new Promise<Outcome>(resolve => {
        finish = () => resolve('done')
      })
      const first = watching(() => finished)
      const worker = work(queue, 1, first.handler)
      await jobs.add(queue, [job('a')])
      await vi.waitFor(() => expect(first.tries.length).toBe(1), DEADLINE)
      await jobs.add(queue, [job('b')])
      let stopped = false
      const stopping = worker.stop().then(() => {
        stopped = true
      })
      await jobs.counts(queue)
      expect(stopped).toBe(false)
      finish()
      await stopping
      expect(await jobs.counts(queue)).toEqual({ waiting: 1, paused: 0, active: 0, done: 1, givenUp: 0 })
      expect(first.tries.map(t => t.job.id)).toEqual(['a'])
      const second = watching(() => 'done')
      work(queue, 1, second.handler)
      await settled(queue, { done: 2 })
      expect(second.tries.map(t => t.job.id)).toEqual(['b'])
    })

    test('a job whose workers die again and again is done by the next one, as if they had never tried', async () => {
      const queue = queueName()
      await jobs.add(queue, [job('killer')])
      for (let deaths = 0; deaths < 2; deaths++) {
        const mortal = await under.connect()
        const seen = watching(() => new Promise<Outcome>(() => {}))
        mortal.work(queue, { concurrency: 1 }, seen.handler)
        await vi.waitFor(() => expect(seen.tries.length).toBe(1), DEADLINE)
        await mortal.close()
      }
      const seen = watching(() => 'done')
      work(queue, 1, seen.handler)
      await settled(queue, { done: 1 })
      expect(seen.tries.map(t => t.job.attempt)).toEqual([1])
    })

    test('what cannot be a job is refused by name, and nothing of its batch is added', async () => {
      const queue = queueName()
      await expect(jobs.add(queue, [job('fine'), job('')])).rejects.toThrow(`a job's id has 1 to 200 visible ASCII characters, not ""`)
      await expect(jobs.add(queue, [job('x'.repeat(201))])).rejects.toThrow('visible ASCII')
      await expect(jobs.add(queue, [job('two words')])).rejects.toThrow('visible ASCII')
      await expect(jobs.add(queue, [job('f', () => {})])).rejects.toThrow('job f: its data is no JSON')
      await expect(jobs.add(queue, [job('n', null, Number.NaN)])).rejects.toThrow('job n: until is a time in ms, not NaN')
      await expect(jobs.add('Push!', [job('a')])).rejects.toThrow('a job queue is named with a-z and -, not "Push!"')
      expect(await jobs.counts(queue)).toEqual({ waiting: 0, paused: 0, active: 0, done: 0, givenUp: 0 })
      await jobs.add(queue, [])
    })

    test('is well', () => {
      expect(jobs.health()).toEqual({ ok: true, error: null })
    })
  })
}
