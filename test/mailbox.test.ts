import { CreateQueueCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs'
import { describe, expect, test, vi } from 'vitest'
import { openClients } from '../actors/kernel/ports/aws/clients.ts'
import { systemClock } from '../actors/kernel/ports/clock/system.ts'
import { virtualClock } from '../actors/kernel/ports/clock/virtual.ts'
import { mailboxConformance } from '../actors/kernel/ports/mailbox/conformance.ts'
import { type MailboxFaults, memoryMailbox } from '../actors/kernel/ports/mailbox/memory.ts'
import type { Delivery } from '../actors/kernel/ports/mailbox/port.ts'
import { sqsMailbox } from '../actors/kernel/ports/mailbox/sqs.ts'
import { startSqsSns } from '../deploy/emulators/sqs-sns/start.ts'

const DEADLINE = { timeout: 15_000, interval: 5 }

/** The same numbers in every run. */
const seeded = (seed: number) => () => {
  seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32
  return seed / 2 ** 32
}

type SqsOptions = { readonly port?: number; readonly outliving?: boolean; readonly stopMs?: number; readonly waitSeconds?: number }
const openSqs = async ({ port = 0, outliving = false, stopMs = 100, waitSeconds = 20 }: SqsOptions = {}) => {
  const engine = await startSqsSns({ port, outliving })
  const clients = openClients({ AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: engine.endpoint, EMBEDDED: true })
  const { sqs, sqsPolling: polling } = clients
  const calls = new Map<string, number>()
  for (const one of [sqs, polling])
    one.middlewareStack.add(
      (next, context) => async args => {
        const name = String('commandName' in context ? context.commandName : '')
        calls.set(name, (calls.get(name) ?? 0) + 1)
        return next(args)
      },
      { step: 'initialize' },
    )
  /** Awaited before each request of sending; to be replaced by a test. */
  const hold = { sending: async (_bodies: string[]) => {} }
  sqs.middlewareStack.add(
    next => async args => {
      const entries = 'Entries' in args.input ? args.input.Entries : undefined
      const sent = entries?.flatMap(entry => ('MessageBody' in entry ? [entry.MessageBody ?? ''] : [])) ?? []
      if (sent.length > 0) await hold.sending(sent)
      return next(args)
    },
    { step: 'initialize' },
  )
  const queueUrl = async (name: string) => (await sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl ?? ''
  return {
    engine,
    calls,
    hold,
    mailbox: sqsMailbox({ sqs, polling, queueUrl, stopMs, waitSeconds }),
    create: async (name: string, attributes: Record<string, string> = {}) => {
      const Attributes = { ...(name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}), ...attributes }
      await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }))
    },
    close: async () => {
      clients.close()
      await engine.close()
    },
  }
}

mailboxConformance('memory', async () => ({
  mailbox: memoryMailbox({ clock: systemClock, random: seeded(1) }),
  create: async () => {},
  close: async () => {},
}))
mailboxConformance('SQS, embedded', () => openSqs())
mailboxConformance('SQS, whose polls outlive their clients', () => openSqs({ outliving: true, stopMs: 21_000, waitSeconds: 1 }))

describe('the SQS mailbox', { timeout: 20_000 }, () => {
  test('a message that the queue itself refuses fails alone, with the reason of the queue', async () => {
    const { mailbox, create, calls, close } = await openSqs()
    await create('small.fifo', { MaximumMessageSize: '1024' })
    const sizes = [10, 2_000, 20]
    const outcomes = await Promise.allSettled(sizes.map(n => mailbox.send('small.fifo', { id: `n${n}`, group: 'g', body: 'x'.repeat(n) })))
    expect(calls.get('SendMessageBatchCommand')).toBe(1)
    expect(outcomes.map(o => o.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(String(outcomes[1]?.status === 'rejected' && outcomes[1].reason)).toMatch(
      /small\.fifo refused message "n2000": InvalidParameterValue .*1024 bytes/,
    )
    expect(await mailbox.depth('small.fifo')).toEqual({ waiting: 2, inFlight: 0 })
    await close()
  })

  test('callers at the same time share requests, of all groups', async () => {
    const { mailbox, create, calls, close } = await openSqs()
    await create('shared.fifo')
    const sends = Array.from({ length: 400 }, (_, n) => mailbox.send('shared.fifo', { id: `m${n}`, group: `g${n % 40}`, body: 'b' }))
    await Promise.all(sends)
    // Ten messages a request, all full.
    expect(calls.get('SendMessageBatchCommand')).toBe(40)
    const got: Delivery[] = []
    const acks: Promise<void>[] = []
    const consumer = mailbox.consume('shared.fifo', { pollers: 2, visibility: 30 }, async deliveries => {
      got.push(...deliveries)
      acks.push(...deliveries.map(d => d.ack()))
    })
    await vi.waitFor(() => expect(got.length).toBe(400), DEADLINE)
    await consumer.stop()
    await Promise.all(acks)
    expect(calls.get('DeleteMessageBatchCommand')).toBeLessThanOrEqual(100)
    await close()
  })

  test('a request that is slow holds back its groups and no others', async () => {
    const { mailbox, create, hold, close } = await openSqs()
    await create('order.fifo')
    let release = () => {}
    const slow = new Promise<void>(resolve => {
      release = resolve
    })
    const requests: string[][] = []
    hold.sending = async bodies => {
      requests.push(bodies)
      if (bodies.includes('a1')) await slow
    }
    const send = (body: string) => mailbox.send('order.fifo', { id: body, group: body.slice(0, 1), body })
    const first = send('a1')
    await vi.waitFor(() => expect(requests).toEqual([['a1']]), DEADLINE)
    const later = [send('a2'), send('a3')]
    // Issued after them and yet done before: it is not behind the slow request.
    await send('b1')
    expect(requests).toEqual([['a1'], ['b1']])
    release()
    await Promise.all([first, ...later])
    expect(requests).toEqual([['a1'], ['b1'], ['a2', 'a3']])
    await close()
  })

  test('an unknown queue fails its sender, and is asked for again', async () => {
    const { mailbox, create, close } = await openSqs()
    await expect(mailbox.send('later.fifo', { id: '1', group: 'g', body: 'b' })).rejects.toThrow()
    await create('later.fifo')
    await mailbox.send('later.fifo', { id: '2', group: 'g', body: 'b' })
    expect((await mailbox.depth('later.fifo')).waiting).toBe(1)
    await close()
  })

  test('polling survives an engine that goes away and comes back, and says so', async () => {
    const first = await openSqs()
    await first.create('q.fifo')
    const port = Number(new URL(first.engine.endpoint).port)
    const got: Delivery[] = []
    const consumer = first.mailbox.consume('q.fifo', { pollers: 2, visibility: 30 }, async deliveries => {
      got.push(...deliveries)
      for (const d of deliveries) await d.ack()
    })
    await first.mailbox.send('q.fifo', { id: '1', group: 'g', body: 'before' })
    await vi.waitFor(() => expect(got.length).toBe(1), DEADLINE)
    expect(consumer.health()).toEqual({ ok: true, error: null })

    await first.engine.close()
    await vi.waitFor(() => expect(consumer.health().ok).toBe(false), DEADLINE)
    expect(consumer.health().error).toMatch(/^q\.fifo cannot be polled since 20.*: .+/)

    // The same address; first without the queue, which is a refusal and no connection error.
    const second = await openSqs({ port })
    await vi.waitFor(() => expect(consumer.health().error).toMatch(/does not exist|NonExistent/i), DEADLINE)
    await second.create('q.fifo')
    await vi.waitFor(() => expect(consumer.health()).toEqual({ ok: true, error: null }), DEADLINE)
    await second.mailbox.send('q.fifo', { id: '2', group: 'g', body: 'after' })
    await vi.waitFor(() => expect(got.map(d => d.body)).toEqual(['before', 'after']), DEADLINE)
    await consumer.stop()
    await second.close()
  })

  test('on AWS a poll that is cut goes on and swallows what comes: a consumer with the time lets it end', async () => {
    const { mailbox, create, calls, close } = await openSqs({ outliving: true, stopMs: 0 })
    await create('cut.fifo')
    const cut = mailbox.consume('cut.fifo', { pollers: 1, visibility: 600 }, async () => {})
    await mailbox.send('cut.fifo', { id: 'first', group: 'first', body: 'b' })
    // The first poll has brought its message, and the second is under way.
    await vi.waitFor(() => expect(calls.get('ReceiveMessageCommand')).toBe(2), DEADLINE)
    expect((await mailbox.depth('cut.fifo')).inFlight).toBe(1)
    await cut.stop()
    await mailbox.send('cut.fifo', { id: 'swallowed', group: 'g', body: 'b' })
    await vi.waitFor(async () => expect(await mailbox.depth('cut.fifo')).toEqual({ waiting: 0, inFlight: 2 }), DEADLINE)
    await close()
  })

  test('a consumer that stops while an engine fails begins no poll any more', async () => {
    const { mailbox, create, calls, close } = await openSqs()
    await create('gated.fifo')
    let open = () => {}
    const ready = new Promise<void>(resolve => {
      open = resolve
    })
    const consumer = mailbox.consume('gated.fifo', { pollers: 1, visibility: 30, ready: () => ready }, async () => {})
    await mailbox.depth('gated.fifo')
    await consumer.stop()
    open()
    await mailbox.send('gated.fifo', { id: '1', group: 'g', body: 'b' })
    expect(await mailbox.depth('gated.fifo')).toEqual({ waiting: 1, inFlight: 0 })
    expect(calls.get('ReceiveMessageCommand')).toBeUndefined()
    await close()
  })

  test('a consumer of a queue that is not there yet waits for it, and can be stopped', async () => {
    const { mailbox, create, close } = await openSqs()
    const got: Delivery[] = []
    const take = async (deliveries: readonly Delivery[]) => void got.push(...deliveries)
    const [never, later] = ['never.fifo', 'later.fifo'].map(queue => mailbox.consume(queue, { pollers: 1, visibility: 30 }, take))
    await vi.waitFor(() => expect([never?.health().ok, later?.health().ok]).toEqual([false, false]), DEADLINE)
    await create('later.fifo')
    await mailbox.send('later.fifo', { id: '1', group: 'g', body: 'b' })
    await vi.waitFor(() => expect(got.length).toBe(1), DEADLINE)
    await Promise.all([never?.stop(), later?.stop()])
    await close()
  })

  test('a message that comes while polling stops is handed over or waits for the next consumer, and is not lost', async () => {
    const { mailbox, create, close } = await openSqs()
    await create('q.fifo')
    const got: string[] = []
    const take = async (deliveries: readonly Delivery[]) => {
      for (const d of deliveries) {
        got.push(d.body)
        await d.ack()
      }
    }
    for (let round = 0; round < 5; round++) {
      const consumer = mailbox.consume('q.fifo', { pollers: 2, visibility: 1 }, take)
      await mailbox.send('q.fifo', { id: `before-${round}`, group: 'g', body: `before ${round}` })
      const stopping = consumer.stop()
      await Promise.all([stopping, mailbox.send('q.fifo', { id: `during-${round}`, group: 'g', body: `during ${round}` })])
    }
    const last = mailbox.consume('q.fifo', { pollers: 1, visibility: 1 }, take)
    await vi.waitFor(() => expect(new Set(got).size).toBe(10), DEADLINE)
    await last.stop()
    expect(got.length).toBe(10)
    await close()
  })
})

describe('the memory mailbox', () => {
  /** Everything that a consumer gets, by virtual time. */
  const open = (faults?: MailboxFaults, seed = 7) => {
    const clock = virtualClock(1_000_000)
    const mailbox = memoryMailbox({ clock, random: seeded(seed), ...(faults ? { faults } : {}) })
    const got: { at: number; body: string; receives: number }[] = []
    const receives: string[][] = []
    const take = (queue: string, visibility: number, each: (d: Delivery) => unknown = d => d.ack()) =>
      mailbox.consume(queue, { pollers: 2, visibility }, async deliveries => {
        receives.push(deliveries.map(d => d.body))
        for (const d of deliveries) {
          got.push({ at: clock.now() - 1_000_000, body: d.body, receives: d.receives })
          await each(d)
        }
      })
    return { clock, mailbox, got, receives, take }
  }

  test('gives several messages of a group in one receive, in order, at most ten', async () => {
    const { clock, mailbox, receives, take } = open()
    const names = Array.from({ length: 23 }, (_, n) => `a${n}`)
    for (const id of names) await mailbox.send('q.fifo', { id, group: 'a', body: id })
    take('q.fifo', 10)
    await clock.untilIdle()
    expect(receives).toEqual([names.slice(0, 10), names.slice(10, 20), names.slice(20)])
  })

  test('gives what was not acknowledged again exactly when its visibility ends', async () => {
    const { clock, mailbox, got, take } = open()
    for (const id of ['a1', 'a2']) await mailbox.send('q.fifo', { id, group: 'a', body: id })
    take('q.fifo', 10, d => (d.receives < 3 ? undefined : d.ack()))
    await clock.untilIdle()
    expect(got.map(g => [g.at, g.body, g.receives])).toEqual([
      [0, 'a1', 1],
      [0, 'a2', 1],
      [10_000, 'a1', 2],
      [10_000, 'a2', 2],
      [20_000, 'a1', 3],
      [20_000, 'a2', 3],
    ])
  })

  test('forgets an id after five minutes', async () => {
    const { clock, mailbox, got, take } = open()
    take('q.fifo', 10)
    const send = (body: string) => mailbox.send('q.fifo', { id: 'same', group: 'a', body })
    await send('first')
    await clock.advance(299_999)
    await send('too early')
    await clock.advance(1)
    await send('anew')
    await clock.untilIdle()
    expect(got.map(g => g.body)).toEqual(['first', 'anew'])
  })

  test('delays: a FIFO group waits behind, in a standard queue others overtake', async () => {
    const { clock, mailbox, got, take } = open({ delay: (_, m) => (m.id === 'slow' ? 5_000 : 0) })
    for (const queue of ['q.fifo', 'q']) {
      for (const [id, group] of [
        ['first', 'a'],
        ['slow', 'a'],
        ['last', 'a'],
        ['other', 'b'],
      ] as const)
        await mailbox.send(queue, { id, group, body: `${queue} ${id}` })
      take(queue, 10)
    }
    await clock.untilIdle()
    const order = (queue: string) => got.filter(g => g.body.startsWith(`${queue} `)).map(g => `${g.at} ${g.body.split(' ')[1]}`)
    expect(order('q.fifo').filter(x => !x.endsWith('other'))).toEqual(['0 first', '5000 slow', '5000 last'])
    expect(order('q.fifo')).toContain('0 other')
    expect(order('q').slice(0, 3).sort()).toEqual(['0 first', '0 last', '0 other'])
    expect(order('q')[3]).toBe('5000 slow')
  })

  test('duplicates come beside the message, in a FIFO queue in its order', async () => {
    const { clock, mailbox, got, take } = open({ duplicate: (_, m) => (m.id === 'twice' ? 1 : 0) })
    for (const id of ['one', 'twice', 'three']) await mailbox.send('q.fifo', { id, group: 'a', body: id })
    take('q.fifo', 10)
    await clock.untilIdle()
    expect(got.map(g => g.body)).toEqual(['one', 'twice', 'twice', 'three'])
  })

  test('does the same again with the same seed, and something else with another', async () => {
    const run = async (seed: number) => {
      const { clock, mailbox, got, take } = open(undefined, seed)
      for (let n = 0; n < 200; n++) {
        await mailbox.send('q', { id: `${n}`, body: `${n}` })
        await mailbox.send('q.fifo', { id: `${n}`, group: `${n % 7}`, body: `f${n}` })
      }
      take('q', 10, d => (d.receives > 1 ? d.ack() : undefined))
      take('q.fifo', 5, d => (d.receives > 1 ? d.ack() : undefined))
      await clock.untilIdle()
      return got
    }
    const [once, again, other] = [await run(1), await run(1), await run(2)]
    expect(once.length).toBe(800)
    expect(again).toEqual(once)
    expect(other).not.toEqual(once)
  })

  test('forgets groups that are done', async () => {
    const { clock, mailbox, take } = open()
    take('q.fifo', 10)
    for (let n = 0; n < 1_000; n++) await mailbox.send('q.fifo', { id: `${n}`, group: `${n}`, body: 'b' })
    await clock.untilIdle()
    expect(await mailbox.depth('q.fifo')).toEqual({ waiting: 0, inFlight: 0 })
  })
})
