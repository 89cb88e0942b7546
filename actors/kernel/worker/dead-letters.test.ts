import { expect, test } from 'vitest'
import { virtualClock } from '../ports/clock/virtual.ts'
import { memoryMailbox } from '../ports/mailbox/memory.ts'
import type { Delivery, Mailbox } from '../ports/mailbox/port.ts'
import { type DeadLetter, deadLetter, lookAtDeadLetters, redrive } from './dead-letters.ts'

const START = Date.parse('2026-03-02T09:00:00.000Z')
const QUEUE = 'posts.fifo'
const DEAD = 'posts-dead.fifo'

const setup = () => {
  const clock = virtualClock(START)
  const mailbox = memoryMailbox({ clock, random: () => 0 })
  /** Lets time pass until the work is done. */
  const during = async <T>(work: Promise<T>): Promise<T> => {
    let over = false
    const end = work.finally(() => {
      over = true
    })
    end.catch(() => {})
    for (let i = 0; i < 2_000 && !over; i++) await clock.advance(100)
    return end
  }
  /** A worker that buries whatever it is given. */
  const undertaker = (queue = QUEUE) =>
    mailbox.consume(
      queue,
      { pollers: 1, visibility: 10 },
      each(d => deadLetter(mailbox, queue, d, 'no')),
    )
  const look = async (queue = QUEUE) => {
    const letters: DeadLetter[] = []
    const looked = await during(
      lookAtDeadLetters(mailbox, clock, queue, async letter => {
        letters.push(letter)
        return 'kept'
      }),
    )
    return { letters, ...looked }
  }
  return { clock, mailbox, during, undertaker, look }
}
const each = (work: (d: Delivery) => Promise<void>) => async (deliveries: readonly Delivery[]) => {
  for (const d of deliveries) await work(d)
}
/** @param ids sent to one key, and dead */
const bury = async ({ mailbox, undertaker, clock }: ReturnType<typeof setup>, ids: readonly string[], queue = QUEUE) => {
  for (const id of ids) await mailbox.send(queue, { id, group: 'key', body: `body of ${id}` })
  const worker = undertaker(queue)
  await clock.advance(1_000)
  await worker.stop()
}

test('those of one key are seen all at once, with what they were, and left as they were', async () => {
  const w = setup()
  await bury(w, ['a', 'b', 'c'])
  for (let times = 0; times < 2; times++) {
    const { letters, kept, unseen } = await w.look()
    expect(letters.map(l => l.id).sort()).toEqual(['a', 'b', 'c'])
    expect(letters[0]).toMatchObject({ queue: QUEUE, group: 'key', reason: 'no', receives: 1, sentAt: START })
    expect({ kept, unseen }).toEqual({ kept: 3, unseen: 0 })
    expect(await w.mailbox.depth(DEAD)).toEqual({ waiting: 3, inFlight: 0 })
  }
})

test('what somebody else looks at is counted, and there again when they are done', async () => {
  const w = setup()
  await bury(w, ['a', 'b'])
  const held: Delivery[] = []
  const other = w.mailbox.consume(DEAD, { pollers: 1, visibility: 600 }, async deliveries => void held.push(...deliveries))
  await w.clock.advance(100)
  await other.stop()
  await held[0]?.extend(0)
  const seen = await w.look()
  expect(seen.letters).toHaveLength(1)
  expect(seen.unseen).toBe(1)
  await held[1]?.extend(0)
  expect((await w.look()).letters).toHaveLength(2)
})

test('a queue that does not answer is an error, no empty queue', async () => {
  const w = setup()
  const broken: Mailbox = { ...w.mailbox, depth: () => Promise.reject(new Error('SQS is away')) }
  await expect(w.during(lookAtDeadLetters(broken, w.clock, QUEUE, async () => 'kept'))).rejects.toThrow('SQS is away')
})

test('one that cannot be sent back stays, with all the others', async () => {
  const w = setup()
  await bury(w, ['a', 'b'])
  const full: Mailbox = { ...w.mailbox, send: () => Promise.reject(new Error('the queue is full')) }
  await expect(w.during(redrive(full, w.clock, QUEUE))).rejects.toThrow('the queue is full')
  expect(await w.mailbox.depth(DEAD)).toEqual({ waiting: 2, inFlight: 0 })
})

test('one that dies again is sent back once, keeps its id, first time and key, and is told', async () => {
  const w = setup()
  await bury(w, ['a'])
  await w.clock.advance(60_000)
  const worker = w.undertaker()
  expect(await w.during(redrive(w.mailbox, w.clock, QUEUE))).toEqual([{ id: 'a', reason: 'no', again: 'no' }])
  await w.clock.advance(1_000)
  expect(await w.during(redrive(w.mailbox, w.clock, QUEUE))).toEqual([{ id: 'a', reason: 'no', again: 'no' }])
  await worker.stop()
  expect((await w.look()).letters).toMatchObject([{ id: 'a', group: 'key', sentAt: START, body: 'body of a' }])
})

test('a chosen one is sent back marked, the others stay; one that is not there is not waited for', async () => {
  const w = setup()
  await bury(w, ['a', 'b', 'c'])
  expect(await w.during(redrive(w.mailbox, w.clock, QUEUE, { only: l => l.id === 'b', count: 1 }))).toMatchObject([{ id: 'b' }])
  const got: Delivery[] = []
  const worker = w.mailbox.consume(QUEUE, { pollers: 1, visibility: 10 }, async deliveries => void got.push(...deliveries))
  await w.clock.advance(100)
  await worker.stop()
  expect(got).toMatchObject([
    { group: 'key', body: 'body of b', attributes: { redriven: 'true', firstSentAt: String(START), messageId: 'b' } },
  ])
  const before = w.clock.now()
  expect(await w.during(redrive(w.mailbox, w.clock, QUEUE, { only: l => l.id === 'nobody', count: 1 }))).toEqual([])
  expect(w.clock.now() - before).toBeLessThan(30_000)
  expect((await w.look()).letters.map(l => l.id).sort()).toEqual(['a', 'c'])
})

test('events’ dead letters go the same way', async () => {
  const w = setup()
  await bury(w, ['e'], 'posts-events')
  const [letter] = (await w.look('posts-events')).letters
  expect(letter).toMatchObject({ group: undefined, body: 'body of e', reason: 'no' })
  expect(await w.during(redrive(w.mailbox, w.clock, 'posts-events'))).toEqual([{ id: letter?.id, reason: 'no' }])
  expect(await w.mailbox.depth('posts-events')).toEqual({ waiting: 1, inFlight: 0 })
  expect(await w.mailbox.depth('posts-events-dead')).toEqual({ waiting: 0, inFlight: 0 })
})
