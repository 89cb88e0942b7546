import { createECDH } from 'node:crypto'
import { createServer } from 'node:http'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { JobCommand } from '../actors/kernel/authoring/jobs.ts'
import { reader } from '../actors/kernel/authoring/reader.ts'
import { systemClock } from '../actors/kernel/ports/clock/system.ts'
import type { Outcome } from '../actors/kernel/ports/jobs/port.ts'
import { metrics } from '../actors/kernel/process/metrics.ts'
import { deliveries, type PushJob } from '../actors/push/deliver.ts'
import { httpTransport, PATIENCE } from '../actors/push/send/transport.ts'
import { catalogWith } from '../actors/testing/catalog.ts'
import { ann, bob } from '../actors/testing/village.ts'
import { world } from '../actors/testing/world.ts'
import { mesh } from '../contracts/mesh.ts'
import { type Subscription, subscription } from '../contracts/push.ts'
import { type Browser, type Fault, type PushService, startPushService } from './push-service.ts'
import { until } from './until.ts'

/** What is sent to push services that behave in every way there is, one try at a time. */

const pair = createECDH('prime256v1')
const publicKey = pair.generateKeys('base64url')
const vapid = { publicKey, privateKey: pair.getPrivateKey('base64url'), subject: 'mailto:push@example.org' }
const QUICK = { ...PATIENCE, connectMs: 300, headersMs: 300, bodyMs: 300 }

let service: PushService
let other: PushService
beforeEach(async () => {
  service = await startPushService()
  other = await startPushService()
})
afterEach(async () => {
  await Promise.all([service.close(), other.close()])
})

/** Bob asks Ann to be friends; her devices are told. `allowed` may be less than what was allowed when they subscribed. */
const told = async (browsers: readonly Browser[], { allowed = [service.origin, other.origin] }: { allowed?: readonly string[] } = {}) => {
  const codes = catalogWith({ PUSH_ALLOW_ORIGINS: `${service.origin},${other.origin}` })
  const w = world(codes, new Date(Date.now() - 1000).toISOString())
  w.say(ann, 'user.replace', { firstName: 'Ann', lastName: 'Example' })
  w.say(bob, 'user.replace', { firstName: 'Bob', lastName: 'Example' })
  const { events } = w.say(bob, 'friend.request', { userId: ann })
  const at = events[0]?.at ?? ''
  const devices = browsers.map(browser => {
    const { id: command, body } = w.say(ann, 'push.subscribe', browser.subscription)
    return { browser, command, id: body?.id ?? '' }
  })
  const store = await w.store()
  const commands: JobCommand[] = []
  const registry = new Registry()
  const work = deliveries({ vapid, allowed, transport: () => httpTransport(64, QUICK) }).open({
    read: reader(store),
    clock: systemClock,
    random: () => 0.5,
    log: pino({ level: 'silent' }),
    metrics: metrics(mesh, registry),
    sendCommand: async command => void commands.push(command),
    patchItem: async (ref, values) => store.commit([{ set: ref.place, values }]),
  })
  const job = (one: Browser, over: Partial<PushJob> = {}) => {
    const found = devices.find(d => d.browser === one)
    if (!found) throw new Error('this browser has not subscribed')
    const happening = { type: 'friend.requested' as const, at, by: bob, postId: null, commentId: null }
    const data: PushJob = { happening, to: ann, subscription: found.id, command: found.command, ...over }
    return { id: `e.0.${found.id}`, data, until: Date.now() + 3_600_000, attempt: 1 }
  }
  return {
    commands,
    send: (one: Browser, over: Partial<PushJob> = {}): Promise<Outcome> => work.handle(job(one, over)),
    deviceOf: (one: Browser) => reader(store).get(subscription.at({ userId: ann, id: job(one).data.subscription })),
    /** Changes what is stored of a device, as an older version might have left it. */
    change: (one: Browser, values: Partial<Subscription>) =>
      store.commit([{ set: subscription.at({ userId: ann, id: job(one).data.subscription }).place, values }]),
    alarms: async () => (await registry.getSingleMetricAsString('dailygrind_origin_refusing')).match(/} (\d)/)?.[1],
    close: work.close,
  }
}
const one = (status: number, headers: Record<string, string> = {}): Fault => ({ status, headers })

test('a message is signed, encrypted and taken; it names who acted, and its delivery is noted', async () => {
  const browser = service.subscribe(publicKey)
  const sender = await told([browser])
  expect(await sender.send(browser)).toBe('done')
  expect(service.wrong).toEqual([])
  expect(browser.received).toMatchObject([
    { type: 'friend.requested', title: 'Bob Example', body: 'Bob asks to be your friend', url: `/users/${bob}` },
  ])
  expect(browser.requests[0]).toMatchObject({ urgency: 'normal', ttl: expect.stringMatching(/^3[56]\d\d$/) })
  const noted = (await sender.deviceOf(browser))?.lastDeliveredAt ?? ''
  expect(Date.parse(noted)).toBeGreaterThan(Date.now() - 60_000)
  // the next one is within the minute: no write
  await sender.send(browser)
  expect((await sender.deviceOf(browser))?.lastDeliveredAt).toBe(noted)
  await sender.close()
})

test('connections and signatures are kept', async () => {
  const browser = service.subscribe(publicKey)
  const sender = await told([browser])
  for (let i = 0; i < 5; i++) await sender.send(browser)
  expect(browser.received).toHaveLength(5)
  // the next may begin before the last has handed its connection back
  expect(service.connections()).toBeLessThanOrEqual(2)
  expect(new Set(browser.requests.map(r => r.authorization)).size).toBe(1)
  await sender.close()
})

test.each([404, 410])('a subscription that is gone (%i) is removed, and no other', async status => {
  const [gone, stays] = [service.subscribe(publicKey), service.subscribe(publicKey)]
  const sender = await told([gone, stays])
  gone.fail(one(status))
  expect(await sender.send(gone)).toBe('done')
  expect(await sender.send(stays)).toBe('done')
  expect(sender.commands).toMatchObject([{ type: 'push.expire', by: ann, data: { id: (await sender.deviceOf(gone))?.id, userId: ann } }])
  await sender.close()
})

test('what is refused once and for all is given up', async () => {
  const browser = service.subscribe(publicKey)
  const sender = await told([browser])
  for (const status of [400, 413, 301, 307]) {
    browser.fail(one(status, { location: `${other.origin}/private` }))
    expect(await sender.send(browser)).toEqual({ giveUp: `${service.origin} answered ${status}` })
  }
  // a redirect is not followed
  expect(other.connections()).toBe(0)
  await sender.close()
})

test('who is busy is left alone as long as asked, whomever it is for; others are told meanwhile', async () => {
  const [busy, neighbour, elsewhere] = [service.subscribe(publicKey), service.subscribe(publicKey), other.subscribe(publicKey)]
  const sender = await told([busy, neighbour, elsewhere])
  busy.fail(one(429, { 'retry-after': '120' }))
  expect(await sender.send(busy)).toMatchObject({ retry: `${service.origin} answered 429`, afterMs: 120_000 })
  const waits = await sender.send(neighbour)
  expect(waits).toMatchObject({ retry: expect.stringContaining(service.origin), untried: true })
  expect(typeof waits === 'object' && 'afterMs' in waits ? waits.afterMs : 0).toBeGreaterThan(100_000)
  expect(neighbour.requests).toEqual([])
  expect(await sender.send(elsewhere)).toBe('done')
  await sender.close()
})

test('one that fails is tried again; an origin that only fails is left alone, and taken up again', async () => {
  const [bad, good] = [service.subscribe(publicKey), service.subscribe(publicKey)]
  const sender = await told([bad, good])
  bad.fail(one(500))
  expect(await sender.send(bad)).toEqual({ retry: `${service.origin} answered 500` })
  // a success between: it is that one, not the origin
  for (let i = 0; i < 4; i++) {
    expect(await sender.send(good)).toBe('done')
    expect(await sender.send(bad)).toEqual({ retry: `${service.origin} answered 500` })
  }
  good.fail(one(503))
  await until('the origin is left alone', async () => {
    const sent = await sender.send(good)
    return (typeof sent === 'object' && 'retry' in sent && sent.retry.includes('left alone')) || undefined
  })
  const tries = good.requests.length
  expect(await sender.send(good)).toMatchObject({ retry: expect.stringContaining('left alone') })
  expect(good.requests).toHaveLength(tries)
  good.heal()
  await until('the origin is taken up again', async () => ((await sender.send(good)) === 'done' ? true : undefined))
  await sender.close()
})

test.each([401, 403])(
  'a refusal (%i) backs that subscription off; five different ones in a row pause the origin and raise the alarm',
  async status => {
    const browsers = Array.from({ length: 6 }, () => service.subscribe(publicKey))
    const sender = await told(browsers)
    const [first, second] = browsers
    if (!first || !second) throw new Error('no browsers')
    for (const b of browsers) b.fail(one(status))
    expect(await sender.send(first)).toMatchObject({ retry: `${service.origin} answered ${status}`, afterMs: 60_000 })
    // the same one again is not even tried, and counts once
    for (let i = 0; i < 6; i++)
      expect(await sender.send(first)).toMatchObject({ retry: expect.stringContaining('refused this subscription') })
    expect(first.requests).toHaveLength(1)
    second.heal()
    // a success between: it begins to count anew
    expect(await sender.send(second)).toBe('done')
    for (const b of browsers.slice(2)) await sender.send(b)
    expect(await sender.alarms()).toBeUndefined()
    second.fail(one(status))
    expect(await sender.send(second)).toMatchObject({ retry: `${service.origin} answered ${status}` })
    expect(await sender.alarms()).toBe('1')
    const seventh = await sender.send(second)
    expect(seventh).toMatchObject({ retry: expect.stringContaining('left alone') })
    // never deleted
    expect(sender.commands).toEqual([])
    await sender.close()
  },
)

test.each<Fault>(['drip', 'endless', 'drop'])(
  'a service that takes a message and then misbehaves (%s) has taken it, and costs little',
  async fault => {
    const [browser, neighbour] = [service.subscribe(publicKey), service.subscribe(publicKey)]
    const sender = await told([browser, neighbour])
    browser.fail(fault)
    const before = process.memoryUsage().rss
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => sender.send(browser)))
    expect(outcomes).toEqual(Array(8).fill('done'))
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024)
    expect(await sender.send(neighbour)).toBe('done')
    await sender.close()
  },
)

test('one that hangs gets a share of the slots; others are told while it is waited for', async () => {
  const [hanging, fine] = [service.subscribe(publicKey), other.subscribe(publicKey)]
  const sender = await told([hanging, fine])
  hanging.fail('hang')
  const waiting = Array.from({ length: 64 }, () => sender.send(hanging))
  expect(await sender.send(fine)).toBe('done')
  const outcomes = await Promise.all(waiting)
  expect(outcomes.every(o => typeof o === 'object' && 'retry' in o)).toBe(true)
  const tried = outcomes.filter(o => typeof o === 'object' && 'retry' in o && o.retry.includes('Error'))
  expect(tried.length).toBeGreaterThan(0)
  expect(tried.length).toBeLessThanOrEqual(16)
  await until('nobody waits any more', () => (service.hanging() === 0 ? true : undefined))
  await sender.close()
})

test('a connection that is closed without an answer is tried again', async () => {
  const browser = service.subscribe(publicKey)
  const sender = await told([browser])
  browser.fail('reset', 1)
  expect(await sender.send(browser)).toMatchObject({ retry: expect.stringContaining(service.origin) })
  expect(await sender.send(browser)).toBe('done')
  await sender.close()
})

test('a key that was stored and is no point of the curve takes its subscription along', async () => {
  const browser = service.subscribe(publicKey)
  const p256dh = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString('base64url')
  const sender = await told([browser])
  await sender.change(browser, { p256dh })
  expect(await sender.send(browser)).toMatchObject({ giveUp: expect.stringContaining('key') })
  expect(sender.commands).toMatchObject([{ type: 'push.expire' }])
  expect(service.connections()).toBe(0)
  await sender.close()
})

test('an origin that is allowed no more is not called', async () => {
  const browser = service.subscribe(publicKey)
  const sender = await told([browser], { allowed: [] })
  expect(await sender.send(browser)).toMatchObject({ giveUp: expect.stringContaining('https') })
  expect(service.connections()).toBe(0)
  await sender.close()
})

test('nothing is sent of what is so no more, nor to a device that is another’s or another subscription', async () => {
  const browser = service.subscribe(publicKey)
  const sender = await told([browser])
  expect(await sender.send(browser, { to: bob })).toBe('done')
  expect(await sender.send(browser, { command: 'another' })).toBe('done')
  const happening = { type: 'friend.accepted' as const, at: new Date().toISOString(), by: bob, postId: null, commentId: null }
  expect(await sender.send(browser, { happening })).toBe('done')
  expect(service.connections()).toBe(0)
  await sender.close()
})

test('private addresses are never connected: by literal, by name, or by a name that changes its mind', async () => {
  let connections = 0
  const inside = createServer((_, response) => response.end())
  inside.on('connection', () => {
    connections += 1
  })
  await new Promise<void>(resolve => inside.listen(0, '127.0.0.1', resolve))
  const address = inside.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const asked: string[] = []
  const answers: [string, number][][] = [
    [['127.0.0.1', 4]],
    [['::ffff:127.0.0.1', 6]],
    [
      ['10.0.0.1', 4],
      ['169.254.169.254', 4],
      ['::1', 6],
    ],
    ...['fd00::1', 'fe80::1', '::', '64:ff9b::7f00:1', '64:ff9b:1::a00:1', '2002:7f00:1::', '::ffff:0:7f00:1'].map(
      (a): [string, number][] => [[a, 6]],
    ),
    ...['0.0.0.0', '100.64.0.1', '192.168.0.1', '172.16.0.1', '224.0.0.1', '255.255.255.255'].map((a): [string, number][] => [[a, 4]]),
  ]
  const send = async (host: string, told: [string, number][]) => {
    const http = httpTransport(4, QUICK, (name, _, done) => {
      asked.push(name)
      done(
        null,
        told.map(([address, family]) => ({ address, family })),
      )
    })
    try {
      await http.send({ endpoint: `http://${host}:${port}/x`, headers: {}, body: Buffer.from('x'), anywhere: false })
      return 'sent'
    } catch (error) {
      return error instanceof Error ? error.name : 'error'
    } finally {
      await http.close()
    }
  }
  for (const told of answers) expect([told, await send('push.example', told)]).toEqual([told, 'ForbiddenAddress'])
  for (const literal of [
    '127.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0.0.0.0',
    '10.1.2.3',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '[64:ff9b::127.0.0.1]',
    '[fe80::1]',
  ])
    expect([literal, await send(literal, [['203.0.113.1', 4]])]).toEqual([literal, 'ForbiddenAddress'])
  expect(connections).toBe(0)
  // every connection is looked up once, and made to what was looked up: a second answer has no effect
  expect(asked).toHaveLength(answers.length)
  await new Promise(resolve => inside.close(resolve))
})
