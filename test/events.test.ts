import { CreateTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns'
import { CreateQueueCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs'
import { describe, expect, test, vi } from 'vitest'
import { openClients } from '../actors/kernel/ports/aws/clients.ts'
import { systemClock } from '../actors/kernel/ports/clock/system.ts'
import { virtualClock } from '../actors/kernel/ports/clock/virtual.ts'
import { type BusUnderTest, busConformance, TOPOLOGY } from '../actors/kernel/ports/events/conformance.ts'
import { memoryBus } from '../actors/kernel/ports/events/memory.ts'
import { snsBus } from '../actors/kernel/ports/events/sns.ts'
import { memoryMailbox } from '../actors/kernel/ports/mailbox/memory.ts'
import { sqsMailbox } from '../actors/kernel/ports/mailbox/sqs.ts'
import { startSqsSns } from '../deploy/emulators/sqs-sns/start.ts'
import { hearAll } from './hear-all.ts'

const openMemory = async (): Promise<BusUnderTest> => {
  const mailbox = memoryMailbox({ clock: systemClock, random: Math.random })
  const { heard, stop } = hearAll(mailbox)
  return { bus: memoryBus({ mailbox, topology: TOPOLOGY }), heard, close: async () => void (await stop()) }
}

const openSns = async () => {
  const engine = await startSqsSns()
  const clients = openClients({ AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: engine.endpoint, EMBEDDED: true })
  const { sqs, sqsPolling: polling, sns } = clients
  let publishes = 0
  sns.middlewareStack.add(
    (next, context) => args => {
      if ('commandName' in context && context.commandName === 'PublishBatchCommand') publishes++
      return next(args)
    },
    { step: 'initialize' },
  )
  const arns = new Map<string, string>()
  for (const topic of ['a', 'b']) arns.set(topic, (await sns.send(new CreateTopicCommand({ Name: topic }))).TopicArn ?? '')
  for (const { queue, subscriptions } of TOPOLOGY.subscribers) {
    const Statement = [{ Effect: 'Allow', Principal: '*', Action: 'sqs:SendMessage', Resource: '*' }]
    await sqs.send(
      new CreateQueueCommand({ QueueName: queue, Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) } }),
    )
    for (const { topic, types } of subscriptions)
      await sns.send(
        new SubscribeCommand({
          TopicArn: arns.get(topic),
          Protocol: 'sqs',
          Endpoint: `arn:aws:sqs:us-east-1:000000000000:${queue}`,
          Attributes: { RawMessageDelivery: 'true', FilterPolicy: JSON.stringify({ type: types }) },
        }),
      )
  }
  const queueUrl = async (name: string) => (await sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl ?? ''
  const topicArn = async (name: string) => {
    const arn = arns.get(name)
    if (arn === undefined) throw new Error(`there is no topic ${name}`)
    return arn
  }
  const { heard, stop } = hearAll(sqsMailbox({ sqs, polling, queueUrl, stopMs: 100 }))
  return {
    bus: snsBus({ sns, topicArn }),
    publishes: () => publishes,
    arns,
    heard,
    close: async () => {
      await stop()
      clients.close()
      await engine.close()
    },
  }
}

busConformance('memory', openMemory)
busConformance('SNS, embedded', openSns)

describe('the SNS bus', { timeout: 20_000 }, () => {
  test('publishers at the same time share requests', async () => {
    const { bus, publishes, close } = await openSns()
    const event = (n: number) => ({ topic: 'a', id: `${n}`, type: 'a.one', body: `${n}` })
    await Promise.all(Array.from({ length: 40 }, (_, n) => bus.publish([event(n), event(n + 40)])))
    expect(publishes()).toBe(8)
    await close()
  })

  test('a topic that is not there fails its publishers, and is asked for again', async () => {
    const { bus, arns, close } = await openSns()
    const [event, other] = [
      { topic: 'late', id: '1', type: 't', body: 'b' },
      { topic: 'a', id: '2', type: 'a.one', body: 'b' },
    ]
    const outcomes = await Promise.allSettled([bus.publish([event]), bus.publish([other])])
    expect(outcomes.map(o => o.status)).toEqual(['rejected', 'fulfilled'])
    arns.set('late', arns.get('a') ?? '')
    await bus.publish([event])
    await close()
  })

  test('an engine that is gone fails its publishers', async () => {
    const { bus, close } = await openSns()
    await close()
    await expect(bus.publish([{ topic: 'a', id: '1', type: 'a.one', body: 'b' }])).rejects.toThrow()
  })
})

describe('faults of the memory bus', () => {
  const open = (faults: Parameters<typeof memoryBus>[0]['faults']) => {
    const clock = virtualClock()
    const mailbox = memoryMailbox({ clock, random: () => 0.5 })
    const { heard } = hearAll(mailbox)
    return { clock, heard, bus: memoryBus({ mailbox, topology: TOPOLOGY, ...(faults ? { faults } : {}) }) }
  }
  const event = (id: string) => ({ topic: 'a', id, type: 'a.one', body: id })

  test('duplicates', async () => {
    const { bus, clock, heard } = open({ duplicate: e => (e.id === 'twice' ? 1 : 0) })
    await bus.publish([event('once'), event('twice')])
    await clock.untilIdle()
    const bodies = heard('y-events').map(m => m.body)
    expect(bodies.sort()).toEqual(['once', 'twice', 'twice'])
  })

  test('a lost answer: published, and yet the publisher must think it was not', async () => {
    const { bus, clock, heard } = open({ loseAnswer: e => e.id === 'lost' })
    await expect(bus.publish([event('lost')])).rejects.toThrow('the answer about event lost was lost')
    await clock.untilIdle()
    expect(heard('y-events').map(m => m.body)).toEqual(['lost'])
  })

  test('a refusal: nothing is published', async () => {
    const { bus, clock, heard } = open({ refuse: e => e.id === 'no' })
    await expect(bus.publish([event('no'), event('yes')])).rejects.toThrow('event no was not published')
    await clock.untilIdle()
    await vi.waitFor(() => expect(heard('y-events').map(m => m.body)).toEqual(['yes']))
  })
})
