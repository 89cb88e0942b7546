import { pino } from 'pino'
import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import type { ActorCode } from '../actors/kernel/authoring/implement.ts'
import { metrics } from '../actors/kernel/process/metrics.ts'
import type { Ports } from '../actors/kernel/process/ports.ts'
import { lambdaHandler } from '../actors/kernel/worker/lambda.ts'
import { catalog } from '../actors/testing/catalog.ts'
import type { Envelope, EventEnvelope } from '../contracts/declare/envelope.ts'
import { groupOf } from '../contracts/declare/messages.ts'
import { mesh } from '../contracts/mesh.ts'
import { user, users } from '../contracts/users.ts'
import { CALM, world } from './mesh/world.ts'

const ANN = 'aaaaaaaa-0000-4000-8000-000000000000'
const BOB = 'bbbbbbbb-0000-4000-8000-000000000000'
const AT = '2026-03-02T09:00:00.000Z'
const TIMEOUT_MS = 8_000
const named = (name: string): ActorCode => {
  const code = catalog.find(c => c.declaration.name === name)
  if (!code) throw new Error(`no actor ${name}`)
  return code
}
/** Users, with a rule that throws at a headline that says so. */
const brittle = (): ActorCode => {
  const code = named('users')
  const decide = code.rules.decide['user.edit']
  if (!decide) throw new Error('users decides no user.edit')
  const thrower: typeof decide = (state, message, loaded) => {
    if ((message as { data: { headline: string } }).data.headline === 'poison') throw new TypeError('the rule does not bear poison')
    return decide(state, message, loaded)
  }
  return { ...code, rules: { ...code.rules, decide: { ...code.rules.decide, 'user.edit': thrower } } }
}

/** One function, invoked by hand, on the ports of a world in which nothing else runs. */
const functionOf = async (code: ActorCode, over: Partial<Ports> = {}) => {
  const w = await world(1, CALM, [])
  const registry = new Registry()
  const log = pino({ level: 'silent' })
  const handler = lambdaHandler({
    mesh,
    code,
    ports: { ...w.ports, ...over },
    concurrency: 8,
    prefix: 'grind-',
    log,
    metrics: metrics(mesh, registry),
    random: w.random,
  })
  /** @returns the ids that come again */
  const invoke = async (queue: string, bodies: readonly { id: string; body: string; group?: string }[], receives = 1) => {
    const Records = bodies.map(({ id, body, group }) => ({
      messageId: `sqs-${id}`,
      body,
      attributes: {
        ApproximateReceiveCount: String(receives),
        SentTimestamp: String(w.clock.now()),
        ...(group === undefined ? {} : { MessageGroupId: group, MessageDeduplicationId: id }),
      },
      eventSourceARN: `arn:aws:sqs:eu-central-1:123456789012:${queue}`,
    }))
    const until = w.clock.now() + TIMEOUT_MS
    const answer = handler({ Records }, { getRemainingTimeInMillis: () => until - w.clock.now() })
    // Observed at once: what it throws is thrown below.
    answer.catch(() => {})
    await w.clock.advance(TIMEOUT_MS)
    return (await answer).batchItemFailures.map(f => f.itemIdentifier)
  }
  return { w, invoke }
}
const edit = (id: string, by: string, headline: string) => {
  const envelope: Envelope = {
    v: 1,
    id,
    type: 'user.edit',
    key: groupOf(users.commands['user.edit'], { id, by, at: AT, data: { headline } }),
    by,
    at: AT,
    data: { headline },
    reply: { to: 'edge', until: Number.MAX_SAFE_INTEGER, durable: false },
    trace: { request: id, cause: null, traceparent: null },
  }
  return { id, group: envelope.key, body: JSON.stringify(envelope) }
}
const replace = (id: string, by: string) => {
  const { group, body } = edit(id, by, '')
  const envelope = { ...(JSON.parse(body) as Envelope), type: 'user.replace', data: { firstName: 'F', lastName: 'L' } }
  return { id, group, body: JSON.stringify(envelope) }
}
const headline = async (w: Awaited<ReturnType<typeof world>>, userId: string) => {
  const state = await w.read.get(user.at({ userId }))
  return state.status === 'live' ? state.profile.headline : undefined
}

describe('messages of a mailbox', () => {
  test('a key stops at its first failure, and its followers are reported with it; other keys go on', async () => {
    const { w, invoke } = await functionOf(brittle())
    expect(await invoke('grind-users.fifo', [replace('a0', ANN), replace('b0', BOB)])).toEqual([])
    const batch = [
      edit('a1', ANN, 'one'),
      edit('a2', ANN, 'poison'),
      edit('b1', BOB, 'bob'),
      edit('a3', ANN, 'three'),
      edit('b2', BOB, 'rob'),
    ]
    expect(await invoke('grind-users.fifo', batch)).toEqual(['sqs-a2', 'sqs-a3'])
    expect([await headline(w, ANN), await headline(w, BOB)]).toEqual(['one', 'rob'])
    expect(['a1', 'a2', 'a3', 'b1', 'b2'].map(id => w.replies.get(id)?.[0]?.status)).toEqual([200, undefined, undefined, 200, 200])
  })

  test('the fifth receive of one that fails makes it a dead letter, with the reason, and its followers go on', async () => {
    const { w, invoke } = await functionOf(brittle())
    await invoke('grind-users.fifo', [replace('a0', ANN)])
    expect(await invoke('grind-users.fifo', [edit('a2', ANN, 'poison'), edit('a3', ANN, 'three')], 4)).toEqual(['sqs-a2', 'sqs-a3'])
    expect(await w.mailbox.depth('users-dead.fifo')).toEqual({ waiting: 0, inFlight: 0 })
    expect(await invoke('grind-users.fifo', [edit('a2', ANN, 'poison'), edit('a3', ANN, 'three')], 5)).toEqual([])
    expect(await headline(w, ANN)).toBe('three')
    expect(w.replies.get('a2')).toMatchObject([{ status: 500, problem: { code: 'internal-error' } }])
    expect(await w.mailbox.depth('users-dead.fifo')).toEqual({ waiting: 1, inFlight: 0 })
  })

  test('events that cannot be published within the time: reported, published by the redelivery, done once', async () => {
    const { w, invoke } = await functionOf(named('users'))
    await invoke('grind-users.fifo', [replace('a0', ANN)])
    w.set({ publish: 1 })
    expect(await invoke('grind-users.fifo', [edit('a1', ANN, 'one')])).toEqual(['sqs-a1'])
    expect(await headline(w, ANN)).toBe('one')
    const [item] = await w.store.get([user.at({ userId: ANN }).place])
    const before = w.published.length
    w.set({ publish: 0 })
    // What the first invocation left behind still tries; a repeat does no harm.
    expect(await invoke('grind-users.fifo', [edit('a1', ANN, 'one')], 2)).toEqual([])
    const after = w.published.slice(before)
    expect(after.length).toBeGreaterThan(0)
    expect(new Set(after.map(e => e.id)).size).toBe(1)
    expect(await w.store.get([user.at({ userId: ANN }).place])).toMatchObject([{ version: item?.version }])
  })

  test('an engine that hangs costs the invocation, not the function; what thaws later commits nothing', async () => {
    const other = await world(2, CALM, [])
    let thaw = () => {}
    const frozen = new Promise<void>(resolve => {
      thaw = resolve
    })
    const store = { ...other.store, get: (places: Parameters<typeof other.store.get>[0]) => frozen.then(() => other.store.get(places)) }
    const { w, invoke } = await functionOf(named('users'), { store })
    expect(await invoke('grind-users.fifo', [replace('a0', ANN), replace('b0', BOB)])).toEqual(['sqs-a0', 'sqs-b0'])
    thaw()
    await w.clock.advance(60_000)
    expect(other.store.dump()).toEqual({})
    expect(await invoke('grind-users.fifo', [replace('a0', ANN), replace('b0', BOB)], 2)).toEqual([])
    expect(Object.keys(other.store.dump())).toContain('users')
  })

  test('what is no event of its queues is refused as a whole, and says why', async () => {
    const { invoke } = await functionOf(named('users'))
    await expect(invoke('grind-posts.fifo', [replace('a0', ANN)])).rejects.toThrow(
      'users takes messages from users.fifo and users-events, not from posts.fifo',
    )
    await expect(invoke('other-users.fifo', [replace('a0', ANN)])).rejects.toThrow('is no queue of this deployment')
  })
})

describe('events', () => {
  const liked = (id: string): { id: string; body: string } => {
    const postId = `${ANN}.20260302.000001`
    const event: EventEnvelope = {
      v: 1,
      id,
      type: 'post.unliked',
      key: 'posts#k',
      version: 1,
      n: 0,
      by: BOB,
      at: AT,
      data: { postId, authorId: ANN, by: BOB, likeCount: 0 },
      trace: { request: id, cause: 'm', traceparent: null },
    }
    return { id, body: JSON.stringify(event) }
  }
  /** Timelines, which cannot bear one event. */
  const brittleTimelines = (heard: string[]): ActorCode => ({
    ...named('timelines'),
    handlers: {
      'post.unliked': {
        effect: async (event: { id: string }) => {
          if (event.id === 'bad') throw new TypeError('the hearing does not bear it')
          heard.push(event.id)
        },
      },
    },
  })

  test('one that fails is reported alone; its fifth receive makes it a dead letter; what cannot be read is one at once', async () => {
    const heard: string[] = []
    const { w, invoke } = await functionOf(brittleTimelines(heard))
    const batch = [liked('e1'), liked('bad'), liked('e2'), { id: 'torn', body: '{' }]
    expect(await invoke('grind-timelines-events', batch)).toEqual(['sqs-bad'])
    expect(heard).toEqual(['e1', 'e2'])
    expect(await w.mailbox.depth('timelines-events-dead')).toEqual({ waiting: 1, inFlight: 0 })
    expect(await invoke('grind-timelines-events', [liked('bad')], 5)).toEqual([])
    expect(await w.mailbox.depth('timelines-events-dead')).toEqual({ waiting: 2, inFlight: 0 })
  })
})
