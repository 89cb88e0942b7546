import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type ConsumeOptions, type Delivery, type Mailbox, Unsendable } from './port.ts'

export type MailboxUnderTest = {
  readonly mailbox: Mailbox
  /** Makes an empty queue of this name; names of FIFO queues end in `.fifo`. */
  readonly create: (name: string) => Promise<void>
  readonly close: () => Promise<void>
}

const DEADLINE = { timeout: 15_000, interval: 5 }
const bodies = (deliveries: readonly Delivery[]) => deliveries.map(d => d.body)

/** What the kernel relies on in every mailbox. Receives of a FIFO queue may hold one or several messages of a group. */
export const mailboxConformance = (name: string, open: () => Promise<MailboxUnderTest>): void => {
  describe(`mailbox: ${name}`, { timeout: 20_000 }, () => {
    let under: MailboxUnderTest
    let mailbox: Mailbox
    let queues = 0
    beforeAll(async () => {
      under = await open()
      mailbox = under.mailbox
    })
    afterAll(() => under.close())

    const create = async (kind: 'fifo' | 'standard') => {
      const queue = `conformance-${++queues}${kind === 'fifo' ? '.fifo' : ''}`
      await under.create(queue)
      return queue
    }
    const send = (queue: string, group: string, body: string) => mailbox.send(queue, { id: body, group, body })
    /** Takes what comes and gives it to `each`, which decides about acks. */
    const take = (queue: string, each: (delivery: Delivery) => unknown = () => {}, options: Partial<ConsumeOptions> = {}) => {
      const got: Delivery[] = []
      const consumer = mailbox.consume(queue, { pollers: 1, visibility: 30, ...options }, async deliveries => {
        for (const delivery of deliveries) {
          got.push(delivery)
          await each(delivery)
        }
      })
      const arrived = (n: number) => vi.waitFor(() => expect(bodies(got).length).toBeGreaterThanOrEqual(n), DEADLINE)
      return { got, arrived, stop: consumer.stop, health: consumer.health }
    }
    const ack = (delivery: Delivery) => delivery.ack()

    test('a message arrives as it was sent', async () => {
      const queue = await create('fifo')
      const before = Date.now()
      const sent = { id: 'id-1', group: 'post#1/post', body: '{"text":"grüße \\u0000 😀"}', attributes: { redriven: 'true', why: 'ünï' } }
      await mailbox.send(queue, sent)
      const { got, arrived, stop } = take(queue, ack)
      await arrived(1)
      expect(got[0]).toMatchObject({ ...sent, receives: 1 })
      expect(got[0]?.sentAt).toBeGreaterThanOrEqual(before - 1)
      expect(got[0]?.sentAt).toBeLessThanOrEqual(Date.now() + 1)
      await stop()
    })

    test('a message without attributes, in a standard queue, has none and no group', async () => {
      const queue = await create('standard')
      await mailbox.send(queue, { id: 'x', group: 'g', body: 'plain' })
      const { got, arrived, stop } = take(queue, ack)
      await arrived(1)
      expect(got[0]).toMatchObject({ body: 'plain', attributes: {}, receives: 1, group: undefined })
      expect(got[0]?.id).not.toBe('')
      await stop()
    })

    test('a thousand messages of fifty groups arrive once each, those of a group in the order of their sending', async () => {
      const queue = await create('fifo')
      const seen = new Map<string, number[]>()
      let count = 0
      const { stop } = take(
        queue,
        async d => {
          count++
          const of = seen.get(d.group ?? '') ?? []
          seen.set(d.group ?? '', [...of, Number(d.attributes.n)])
          // Not awaited, so that acks share requests, as in the kernel.
          void d.ack()
        },
        { pollers: 3 },
      )
      // Each group's caller sends without waiting for the one before.
      const sends = Array.from({ length: 50 }, async (_, g) => {
        const own = Array.from({ length: 20 }, (_, n) =>
          mailbox.send(queue, { id: `${g}-${n}`, group: `g${g}`, body: 'x'.repeat(100), attributes: { n: String(n) } }),
        )
        await Promise.all(own)
      })
      await Promise.all(sends)
      await vi.waitFor(() => expect(count).toBe(1_000), DEADLINE)
      await vi.waitFor(async () => expect(await mailbox.depth(queue)).toEqual({ waiting: 0, inFlight: 0 }), DEADLINE)
      await stop()
      expect(count).toBe(1_000)
      expect(seen.size).toBe(50)
      for (const numbers of seen.values()) expect(numbers).toEqual(Array.from({ length: 20 }, (_, n) => n))
    })

    test('while a message is in flight no later receive has one of its group, and others go on', async () => {
      const queue = await create('fifo')
      await send(queue, 'a', 'a1')
      const { got, arrived, stop } = take(queue, d => (d.group === 'b' ? d.ack() : undefined), { pollers: 2 })
      await arrived(1)
      await send(queue, 'a', 'a2')
      for (const b of ['b1', 'b2', 'b3']) await send(queue, 'b', b)
      await arrived(4)
      expect(bodies(got)).toEqual(['a1', 'b1', 'b2', 'b3'])
      await got[0]?.ack()
      await arrived(5)
      expect(got[4]?.body).toBe('a2')
      await stop()
    })

    test('what is not acknowledged comes again after its visibility, before its followers, and counts', async () => {
      const queue = await create('fifo')
      await send(queue, 'a', 'a1')
      const { got, arrived, stop } = take(queue, d => (d.receives > 1 || d.body === 'a2' ? d.ack() : undefined), { visibility: 1 })
      await arrived(1)
      await send(queue, 'a', 'a2')
      await arrived(3)
      expect(got.map(d => [d.body, d.receives])).toEqual([
        ['a1', 1],
        ['a1', 2],
        ['a2', 1],
      ])
      expect(got[1]?.sentAt).toBe(got[0]?.sentAt)
      await stop()
    })

    test('giving a message back lets it come at once', async () => {
      const queue = await create('fifo')
      await send(queue, 'a', 'a1')
      await send(queue, 'a', 'a2')
      // Visible again only after minutes, were it not given back. A receive may hold both: then both are given back.
      const { got, arrived, stop } = take(queue, d => (d.receives === 1 && d.body === 'a1' ? undefined : d.ack()), { visibility: 600 })
      await arrived(1)
      await got[0]?.extend(0)
      await vi.waitFor(() => expect(got.some(d => d.body === 'a1' && d.receives === 2)).toBe(true), DEADLINE)
      await vi.waitFor(() => expect(bodies(got)).toContain('a2'), DEADLINE)
      await stop()
    })

    test('a message stays hidden for as long as it is extended', async () => {
      const queue = await create('fifo')
      await send(queue, 'kept', 'kept')
      await send(queue, 'clock', 'clock')
      // The other message tells the time: its third receive is two visibilities after the first.
      const { got, stop } = take(queue, d => (d.body === 'kept' ? d.extend(600) : undefined), { visibility: 1 })
      await vi.waitFor(() => expect(got.some(d => d.body === 'clock' && d.receives === 3)).toBe(true), DEADLINE)
      expect(bodies(got).filter(body => body === 'kept')).toEqual(['kept'])
      await stop()
    })

    test('a stale handle does nothing, and says nothing', async () => {
      const queue = await create('fifo')
      await send(queue, 'a', 'a1')
      const { got, arrived, stop } = take(queue, d => (d.receives === 3 ? d.ack() : undefined), { visibility: 600 })
      await arrived(1)
      const first = got[0]
      await first?.extend(0)
      await arrived(2)
      await first?.ack()
      await first?.extend(0)
      expect(await mailbox.depth(queue)).toEqual({ waiting: 0, inFlight: 1 })
      await got[1]?.extend(0)
      await arrived(3)
      await got[2]?.ack()
      await got[2]?.ack()
      await got[2]?.extend(5)
      expect(await mailbox.depth(queue)).toEqual({ waiting: 0, inFlight: 0 })
      await stop()
    })

    test('a time that no message can be hidden for is refused', async () => {
      const queue = await create('fifo')
      await send(queue, 'a', 'a1')
      const { got, arrived, stop } = take(queue)
      await arrived(1)
      for (const seconds of [-1, 1.5, 43_201, Number.NaN]) await expect(got[0]?.extend(seconds)).rejects.toThrow(RangeError)
      await stop()
    })

    test('a FIFO queue takes an id once, handled or not', async () => {
      const queue = await create('fifo')
      await mailbox.send(queue, { id: 'one', group: 'a', body: 'first' })
      await mailbox.send(queue, { id: 'one', group: 'a', body: 'repeat' })
      const { got, arrived, stop } = take(queue, ack)
      await arrived(1)
      await vi.waitFor(async () => expect(await mailbox.depth(queue)).toEqual({ waiting: 0, inFlight: 0 }), DEADLINE)
      await mailbox.send(queue, { id: 'one', group: 'a', body: 'late repeat' })
      await mailbox.send(queue, { id: 'two', group: 'a', body: 'second' })
      await arrived(2)
      expect(bodies(got)).toEqual(['first', 'second'])
      await stop()
    })

    test('a standard queue keeps repeats and promises no order', async () => {
      const queue = await create('standard')
      await Promise.all(['m', 'n', 'm'].map(body => mailbox.send(queue, { id: body, body })))
      const { got, arrived, stop } = take(queue, ack)
      await arrived(3)
      expect(bodies(got).sort()).toEqual(['m', 'm', 'n'])
      expect(new Set(got.map(d => d.id)).size).toBe(3)
      await stop()
    })

    test('what cannot be sent fails its own caller, with its name, and nobody beside it', async () => {
      const queue = await create('fifo')
      const message = (id: string, rest: object = {}) => ({ id, group: id, body: id, ...rest })
      const outcomes = await Promise.allSettled([
        mailbox.send(queue, message('good-1')),
        mailbox.send(queue, message('large', { body: 'x'.repeat(262_145) })),
        mailbox.send(queue, message('large-attribute', { attributes: { a: 'x'.repeat(262_144) } })),
        mailbox.send(queue, message('empty', { body: '' })),
        mailbox.send(queue, message('empty-attribute', { attributes: { a: '' } })),
        mailbox.send(queue, message('foreign', { body: 'a\u{ffff}b' })),
        mailbox.send(queue, { id: 'groupless', body: 'b' }),
        mailbox.send(queue, message('x'.repeat(129), { group: 'g' })),
        mailbox.send(queue, message('group-umlaut', { group: 'gr\u00fcn' })),
        mailbox.send(queue, message('group-space', { group: 'a b' })),
        mailbox.send(queue, message('group-long', { group: 'g'.repeat(129) })),
        mailbox.send(queue, message('id \u00fc', { group: 'g' })),
        mailbox.send(queue, message('good-2')),
      ])
      const reasons = outcomes.map(o => (o.status === 'rejected' ? String(o.reason) : ''))
      expect(outcomes.flatMap((o, at) => (o.status === 'fulfilled' ? [at] : []))).toEqual([0, outcomes.length - 1])
      expect(outcomes.every(o => o.status === 'fulfilled' || o.reason instanceof Unsendable)).toBe(true)
      expect(reasons[1]).toContain(`${queue} cannot take message "large": it has 262145 bytes, at most 262144 are taken`)
      expect(reasons[4]).toContain('attribute a')
      expect(reasons[6]).toContain('group')
      const { got, arrived, stop } = take(queue, ack)
      await arrived(2)
      expect(bodies(got).sort()).toEqual(['good-1', 'good-2'])
      await stop()
    })

    test('what comes once a consumer has stopped is the next one’s at once, and not after its visibility', async () => {
      const queue = await create('fifo')
      const idle = mailbox.consume(queue, { pollers: 2, visibility: 600 }, async () => {})
      await mailbox.depth(queue)
      await idle.stop()
      await mailbox.send(queue, { id: 'm', group: 'g', body: 'm' })
      const { got, arrived, stop } = take(queue, ack)
      await arrived(1)
      expect(bodies(got)).toEqual(['m'])
      await stop()
    })

    test('takes every character in ids and groups that it says it takes, and 128 of them', async () => {
      const queue = await create('fifo')
      const all = String.fromCharCode(...Array.from({ length: 94 }, (_, n) => 33 + n))
      const names = [all, all.padEnd(128, '~'), 'g']
      await Promise.all(names.map(name => mailbox.send(queue, { id: name, group: name, body: 'b' })))
      const { got, arrived, stop } = take(queue, ack)
      await arrived(names.length)
      expect(got.map(d => d.group).sort()).toEqual([...names].sort())
      expect(got.map(d => d.id).sort()).toEqual([...names].sort())
      await stop()
    })

    test('messages that do not fit one request together all arrive', async () => {
      const queue = await create('fifo')
      const large = ['a', 'b', 'c', 'd', 'e'].map(c => c.repeat(100_000))
      await Promise.all(large.map(body => mailbox.send(queue, { id: body.slice(0, 1), group: body.slice(0, 1), body })))
      const { got, arrived, stop } = take(queue, ack)
      await arrived(5)
      expect(bodies(got).sort()).toEqual(large)
      await stop()
    })

    test('a consumer takes nothing before it is ready', async () => {
      const queue = await create('fifo')
      await send(queue, 'a', 'a1')
      let open = () => {}
      const gate = new Promise<void>(resolve => {
        open = resolve
      })
      let asked = 0
      const ready = () => {
        asked++
        return gate
      }
      const { got, arrived, stop } = take(queue, ack, { ready, pollers: 2 })
      await vi.waitFor(() => expect(asked).toBe(2), DEADLINE)
      expect(await mailbox.depth(queue)).toEqual({ waiting: 1, inFlight: 0 })
      expect(got).toEqual([])
      open()
      await arrived(1)
      await stop()
    })

    test('a consumer that is not ready can be stopped, and never polls afterwards', async () => {
      const queue = await create('fifo')
      let open = () => {}
      const gate = new Promise<void>(resolve => {
        open = resolve
      })
      let asked = 0
      const { got, stop } = take(queue, ack, {
        ready: () => {
          asked++
          return gate
        },
      })
      await vi.waitFor(() => expect(asked).toBe(1), DEADLINE)
      await stop()
      open()
      await send(queue, 'a', 'a1')
      const next = take(queue, ack)
      await next.arrived(1)
      expect(got).toEqual([])
      await next.stop()
    })

    test('stopping ends an idle consumer; what comes later is for others', async () => {
      const queue = await create('fifo')
      await send(queue, 'a', 'a1')
      const first = take(queue, ack, { pollers: 2 })
      await first.arrived(1)
      await Promise.all([first.stop(), first.stop()])
      await send(queue, 'a', 'a2')
      expect(await mailbox.depth(queue)).toEqual({ waiting: 1, inFlight: 0 })
      const second = take(queue, ack)
      await second.arrived(1)
      expect(bodies(first.got)).toEqual(['a1'])
      expect(bodies(second.got)).toEqual(['a2'])
      await second.stop()
    })

    test('stopping waits for what was received to be handed on', async () => {
      const queue = await create('fifo')
      await send(queue, 'a', 'a1')
      let handOn = () => {}
      const handedOn = new Promise<void>(resolve => {
        handOn = resolve
      })
      const { arrived, stop } = take(queue, () => handedOn)
      await arrived(1)
      let stopped = false
      const stopping = stop().then(() => {
        stopped = true
      })
      await mailbox.depth(queue)
      expect(stopped).toBe(false)
      handOn()
      await stopping
    })

    test('a handler that throws ends nothing: its messages come back, others come', async () => {
      const queue = await create('fifo')
      await send(queue, 'a', 'bad')
      const { got, arrived, stop, health } = take(
        queue,
        d => {
          if (d.body === 'bad' && d.receives === 1) throw new Error('cannot')
          return d.ack()
        },
        { visibility: 1 },
      )
      await arrived(1)
      await send(queue, 'b', 'good')
      await arrived(3)
      expect(got.map(d => [d.body, d.receives])).toEqual(
        expect.arrayContaining([
          ['bad', 1],
          ['good', 1],
          ['bad', 2],
        ]),
      )
      expect(health()).toEqual({ ok: true, error: null })
      await stop()
    })

    test('depth tells what waits and what is in flight', async () => {
      const queue = await create('fifo')
      for (const body of ['a1', 'b1', 'c1']) await send(queue, body, body)
      expect(await mailbox.depth(queue)).toEqual({ waiting: 3, inFlight: 0 })
      const { got, arrived, stop } = take(queue)
      await arrived(3)
      expect(await mailbox.depth(queue)).toEqual({ waiting: 0, inFlight: 3 })
      await Promise.all(got.map(ack))
      expect(await mailbox.depth(queue)).toEqual({ waiting: 0, inFlight: 0 })
      await stop()
    })
  })
}
