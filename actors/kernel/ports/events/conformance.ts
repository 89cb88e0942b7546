import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { EventBus, Published } from './port.ts'

export type BusUnderTest = {
  readonly bus: EventBus
  /** Bodies, with the attribute `type`, that have come to a queue so far; whoever opens the bus consumes them. */
  readonly heard: (queue: string) => readonly { readonly body: string; readonly type: string | undefined }[]
  readonly close: () => Promise<void>
}

/** The topology that the suite needs. */
const SUBSCRIBERS = [
  {
    actor: 'x',
    queue: 'x-events',
    dead: 'x-events-dead',
    subscriptions: [
      { topic: 'a', types: ['a.one', 'a.two'] },
      { topic: 'b', types: ['b.one'] },
    ],
  },
  { actor: 'y', queue: 'y-events', dead: 'y-events-dead', subscriptions: [{ topic: 'a', types: ['a.one'] }] },
]

export const TOPOLOGY = { subscribers: SUBSCRIBERS }

const DEADLINE = { timeout: 15_000, interval: 5 }

/** What the kernel relies on in every bus. @param open a bus with `TOPOLOGY` */
export const busConformance = (name: string, open: () => Promise<BusUnderTest>): void => {
  describe(`events: ${name}`, { timeout: 20_000 }, () => {
    let under: BusUnderTest
    let bus: EventBus
    let events = 0
    beforeAll(async () => {
      under = await open()
      bus = under.bus
    })
    afterAll(() => under.close())

    const event = (type: string, body?: string): Published => {
      const id = `event-${++events}`
      return { topic: type.slice(0, 1), id, type, body: body ?? JSON.stringify({ id, type, text: 'grüße 😀 <&> "q"' }) }
    }
    const bodies = (queue: string) => under.heard(queue).map(m => m.body)
    /** Until the queues have these; a mark of each queue's own goes last, so that what was wrongly sent before it would have had its time. */
    const settled = async (wanted: Readonly<Record<string, readonly Published[]>>) => {
      const mark = event('a.one')
      await bus.publish([mark])
      for (const [queue, list] of Object.entries(wanted))
        await vi.waitFor(() => {
          expect(bodies(queue)).toEqual(expect.arrayContaining([...list.map(e => e.body), mark.body]))
        }, DEADLINE)
    }

    test('an event comes raw, with its type, to those who hear its type, and to nobody else', async () => {
      const [one, two, deaf, other] = [event('a.one'), event('a.two'), event('a.three'), event('b.one')]
      await bus.publish([one, two, deaf, other])
      await settled({ 'x-events': [one, two, other], 'y-events': [one] })
      expect(bodies('x-events')).not.toContain(deaf.body)
      for (const stranger of [two, deaf, other]) expect(bodies('y-events')).not.toContain(stranger.body)
      expect(under.heard('x-events').find(m => m.body === two.body)?.type).toBe('a.two')
    })

    test('a type of one topic is not heard on another', async () => {
      const stray = { ...event('b.one'), topic: 'a' }
      await bus.publish([stray])
      await settled({ 'x-events': [] })
      expect(bodies('x-events')).not.toContain(stray.body)
    })

    test('publishing nothing, or what nobody hears, is fine', async () => {
      await bus.publish([])
      await bus.publish([event('b.unheard')])
    })

    test('repeats do no harm', async () => {
      const again = event('a.one')
      await bus.publish([again, again])
      await bus.publish([again])
      await settled({ 'x-events': [again], 'y-events': [again] })
      expect(bodies('y-events').filter(b => b === again.body).length).toBeGreaterThanOrEqual(1)
    })

    test('many callers at once: all arrive', async () => {
      const lists = Array.from({ length: 60 }, (_, n) => [event('a.one'), event('a.two'), event(n % 2 === 0 ? 'b.one' : 'a.one')])
      await Promise.all(lists.map(list => bus.publish(list)))
      await settled({ 'x-events': lists.flat(), 'y-events': lists.flat().filter(e => e.type === 'a.one') })
    })

    test('events that do not fit one request together all arrive', async () => {
      const large = ['p', 'q', 'r', 's'].map(c => event('a.one', c.repeat(120_000)))
      await bus.publish(large)
      await settled({ 'y-events': large })
    })

    test('an event that is too large fails its own publisher, with its name, and nobody beside it', async () => {
      const [before, after, beside] = [event('a.one'), event('a.one'), event('a.one')]
      const large = event('a.one', 'x'.repeat(262_144))
      const outcomes = await Promise.allSettled([bus.publish([before]), bus.publish([beside, large]), bus.publish([after])])
      expect(outcomes.map(o => o.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect(String(outcomes[1]?.status === 'rejected' && outcomes[1].reason)).toContain(
        `the topic a cannot take event "${large.id}" (a.one): it has 262159 bytes, at most 262144 are taken`,
      )
      await settled({ 'y-events': [before, beside, after] })
    })

    test('says of how many events that failed', async () => {
      const bad = [event('a.one', ''), event('a.one', '')]
      await expect(bus.publish([event('a.one'), ...bad])).rejects.toThrow(
        /2 of 3 events could not be published; the first: .*body is empty/,
      )
    })
  })
}
