import { createECDH } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { catalogWith } from '../actors/testing/catalog.ts'
import { pushCounts, subscription } from '../contracts/push.ts'
import { CALM, type Faults, type World, world } from './mesh/world.ts'
import { type Browser, type PushService, startPushService } from './push-service.ts'
import { until } from './until.ts'

/** The way from an event to devices, through the mesh on virtual time and a push service on a real socket. */

const pair = createECDH('prime256v1')
const publicKey = pair.generateKeys('base64url')
const vapid = { publicKey, privateKey: pair.getPrivateKey('base64url'), subject: 'mailto:push@example.org' }
const id = (letter: string) => `${letter.repeat(8)}-0000-4000-8000-000000000000`
const [ann, bob, cem, dan] = [id('a'), id('b'), id('c'), id('d')]

let service: PushService
let w: World
const open = async (seed: number, faults: Faults = CALM) => {
  const codes = catalogWith({
    PUSH_ALLOW_ORIGINS: service.origin,
    VAPID_PUBLIC_KEY: vapid.publicKey,
    VAPID_PRIVATE_KEY: vapid.privateKey,
    VAPID_SUBJECT: vapid.subject,
  })
  w = await world(seed, faults, codes)
}
beforeEach(async () => {
  service = await startPushService(() => w.clock.now())
})
afterEach(() => service.close())

/** Sends a command and lets virtual time go until it is answered. */
const say = async (by: string, type: string, data: unknown) => {
  const message = await w.send(type, by, data)
  return until(`an answer to ${type}`, async () => {
    await w.clock.advance(200)
    return w.replies.get(message)?.at(-1)
  })
}
const join = async (userId: string, firstName: string, timeZone = 'UTC', lastName = 'Example') =>
  say(userId, 'user.replace', { firstName, lastName, timeZone })
const befriend = async (one: string, two: string) => {
  await say(one, 'friend.request', { userId: two })
  await say(two, 'friend.accept', { userId: one })
}
const subscribe = async (userId: string): Promise<Browser & { id: string }> => {
  const browser = service.subscribe(publicKey)
  const { body } = await say(userId, 'push.subscribe', browser.subscription)
  return { ...browser, id: (body as { id: string }).id }
}
const publish = async (by: string, title = 'A quiet morning') =>
  ((await say(by, 'post.publish', { title, content: 'Tea.' })).body as { id: string }).id
const eventually = (what: string, found: () => boolean | Promise<boolean>) =>
  until(what, async () => {
    await w.clock.advance(500)
    return (await found()) || undefined
  })
/** Lets everything that was begun come to its end. */
const settled = async () => {
  await eventually('all jobs and messages are over', async () => {
    const { waiting, paused, active } = await w.ports.jobs.counts('push')
    return waiting + paused + active + (await w.left()).queued === 0
  })
}
const bodies = (b: Browser) => b.received.map(m => m.body)

test('each of a person’s devices is told once of what others do, in their words', async () => {
  await open(1)
  for (const [who, name] of [
    [ann, 'Ann'],
    [bob, 'Bob'],
    [cem, 'Cem'],
  ] as const)
    await join(who, name)
  const [phone, laptop, his] = [await subscribe(ann), await subscribe(ann), await subscribe(bob)]
  await befriend(bob, ann)
  await befriend(cem, ann)
  const postId = await publish(ann)
  await say(bob, 'post.like', { postId })
  await say(cem, 'comment.add', { postId, content: 'Which   tea?' })
  await say(ann, 'comment.add', { postId, content: 'Mint.' })
  await settled()
  const due = [
    'Bob asks to be your friend',
    'Cem asks to be your friend',
    'Bob likes “A quiet morning”',
    'Cem comments on “A quiet morning”: Which tea?',
  ]
  // a request that was accepted before it could be told is told no more
  for (const d of [phone, laptop]) expect(due).toEqual(expect.arrayContaining(bodies(d)))
  for (const d of [phone, laptop]) expect(bodies(d)).toEqual(expect.arrayContaining(due.slice(2)))
  expect(bodies(his)).toEqual(['Ann is your friend now'])
  expect(service.wrong).toEqual([])
  expect((await w.left()).dead).toBe(0)
})

test('people are told in the language of their profile, as far as there are texts', async () => {
  await open(3)
  const speakers = [
    [ann, 'Ann', 'de-CH'],
    [bob, 'Bob', 'i-klingon'],
  ] as const
  for (const [who, firstName, language] of speakers) await say(who, 'user.replace', { firstName, lastName: 'Example', language })
  const [hers, his] = [await subscribe(ann), await subscribe(bob)]
  await befriend(ann, bob)
  const postId = await publish(ann)
  await say(bob, 'post.like', { postId })
  await settled()
  expect(bodies(hers)).toEqual(expect.arrayContaining(['Bob gefällt „A quiet morning“']))
  for (const body of bodies(his)) expect(body).toBe('Ann asks to be your friend')
  expect((await w.left()).dead).toBe(0)
})

test('events that come twice and late are told once', async () => {
  await open(7, { ...CALM, duplicate: 0.6, delayMs: 400 })
  for (const [who, name] of [
    [ann, 'Ann'],
    [bob, 'Bob'],
  ] as const)
    await join(who, name)
  await befriend(bob, ann)
  const phone = await subscribe(ann)
  const postId = await publish(ann)
  for (let i = 0; i < 5; i++) await say(bob, 'comment.add', { postId, content: `Number ${i}` })
  await settled()
  expect(bodies(phone).sort()).toEqual([0, 1, 2, 3, 4].map(i => `Bob comments on “A quiet morning”: Number ${i}`))
})

test('a post is told to the friends who want it, not to strangers, and not to those who were blocked before it went out', async () => {
  await open(2)
  for (const [who, name] of [
    [ann, 'Ann'],
    [bob, 'Bob'],
    [cem, 'Cem'],
    [dan, 'Dan'],
  ] as const)
    await join(who, name)
  await befriend(bob, ann)
  await befriend(cem, ann)
  await settled()
  const devices = { own: await subscribe(ann), wants: await subscribe(bob), silent: await subscribe(cem), stranger: await subscribe(dan) }
  for (const who of [ann, bob, dan]) await say(who, 'push.prefer', { types: { 'post.published': true } })
  const postId = await publish(ann)
  await settled()
  expect(Object.entries(devices).map(([name, d]) => [name, bodies(d)])).toEqual([
    ['own', []],
    ['wants', ['Ann has posted “A quiet morning”']],
    ['silent', []],
    ['stranger', []],
  ])
  // the service is away; meanwhile they part
  devices.wants.fail({ status: 503 })
  await say(ann, 'post.delete', { postId })
  await publish(ann)
  await eventually('a try has failed', () => devices.wants.requests.length > 1)
  await say(ann, 'user.block', { userId: bob })
  devices.wants.heal()
  await settled()
  expect(bodies(devices.wants)).toHaveLength(1)
})

test.each([
  ['emoji', '👩‍💻'],
  // two bytes each in JSON
  ['quotes and backslashes', '"\\'],
  ['letters', 'Ж'],
])('the longest names, titles and comments there can be fit into one message (%s)', async (_, text) => {
  await open(8)
  const long = (length: number) =>
    [...text.repeat(length)]
      .slice(0, length - 1)
      .join('')
      .concat('.')
  await join(ann, 'Ann')
  await join(bob, long(80), 'UTC', long(80))
  await befriend(bob, ann)
  const phone = await subscribe(ann)
  await settled()
  const postId = await publish(ann, long(120))
  await say(bob, 'comment.add', { postId, content: long(1000) })
  await settled()
  // the service takes no body of more than 4096 bytes (RFC 8030)
  expect(service.wrong).toEqual([])
  expect(phone.received.map(m => [m.title, m.body.startsWith(`${long(80)} comments on “${long(120)}”: `)])).toEqual([
    [`${long(80)} ${long(80)}`, true],
  ])
})

test.each([
  ['is busy once for each', { status: 429, headers: { 'retry-after': '1' } }, 1],
  ['fails twice for each', { status: 503 }, 2],
] as const)('a service that %s of forty devices keeps nobody waiting for long', async (_, fault, times) => {
  await open(9)
  await join(ann, 'Ann')
  await join(bob, 'Bob')
  await join(cem, 'Cem')
  const devices: Browser[] = []
  for (let i = 0; i < 20; i++) for (const who of [ann, bob]) devices.push(await subscribe(who))
  for (const d of devices) d.fail(fault, times)
  await say(cem, 'friend.request', { userId: ann })
  await say(cem, 'friend.request', { userId: bob })
  const began = w.clock.now()
  await eventually('all are told', () => devices.every(d => d.received.length > 0))
  expect(w.clock.now() - began).toBeLessThan(60_000)
  await settled()
  for (const d of devices) expect([bodies(d), d.requests.length]).toEqual([['Cem asks to be your friend'], times + 1])
})

test('quiet hours are those of the recipient’s zone', async () => {
  await open(3)
  // nine in the morning in UTC
  await join(ann, 'Ann', 'Asia/Tokyo')
  await join(bob, 'Bob', 'Asia/Tokyo')
  await join(cem, 'Cem')
  const [hers, his] = [await subscribe(ann), await subscribe(bob)]
  await say(ann, 'push.prefer', { quietHours: { from: '17:00', to: '19:00' } })
  await say(bob, 'push.prefer', { quietHours: { from: '08:00', to: '10:00' } })
  for (const userId of [ann, bob]) await say(cem, 'friend.request', { userId })
  await settled()
  expect([bodies(hers), bodies(his)]).toEqual([[], ['Cem asks to be your friend']])
})

test('a device that changes hands is told what is the new one’s only', async () => {
  await open(4)
  for (const [who, name] of [
    [ann, 'Ann'],
    [bob, 'Bob'],
    [cem, 'Cem'],
  ] as const)
    await join(who, name)
  const shared = await subscribe(ann)
  shared.fail({ status: 500 })
  await say(cem, 'friend.request', { userId: ann })
  await eventually('a try for Ann has failed', () => shared.requests.length > 0)
  await say(bob, 'push.subscribe', shared.subscription)
  shared.heal()
  await say(cem, 'friend.request', { userId: bob })
  await settled()
  const tries = shared.received.filter(m => m.url === `/users/${cem}`)
  expect(tries).toHaveLength(1)
  expect(await w.read.get(subscription.at({ userId: ann, id: shared.id }))).toBeUndefined()
  const counted = await Promise.all([ann, bob].map(userId => w.read.get(pushCounts.at({ userId }))))
  expect(counted.map(c => c.subscriptions)).toEqual([0, 1])
})

test('many who want one endpoint at once: it is one’s, and the counts say so', async () => {
  await open(5, { ...CALM, crash: 0.02, lostAnswer: 0.05 })
  const people = [ann, bob, cem, dan]
  w.set(CALM)
  for (const who of people) await join(who, 'Person')
  w.set({ crash: 0.02, lostAnswer: 0.05 })
  const browsers = Array.from({ length: 3 }, () => service.subscribe(publicKey))
  for (let i = 0; i < 40; i++) {
    const [who, browser] = [people[i % 4], browsers[i % 3]]
    if (who && browser) await w.send('push.subscribe', who, browser.subscription)
    if (i % 7 === 0 && who) await w.clock.advance(50)
  }
  await w.calm()
  const owned = await Promise.all(people.map(async userId => (await w.read.range(subscription, { userId }, { limit: 20 })).items.length))
  const counted = await Promise.all(people.map(userId => w.read.get(pushCounts.at({ userId }))))
  expect(owned).toEqual(counted.map(c => c.subscriptions))
  expect(owned.reduce((a, b) => a + b)).toBe(3)
})

test('a subscription that its service forgot goes, and no other', async () => {
  await open(6)
  for (const [who, name] of [
    [ann, 'Ann'],
    [bob, 'Bob'],
  ] as const)
    await join(who, name)
  const [gone, stays] = [await subscribe(ann), await subscribe(ann)]
  gone.forget()
  await say(bob, 'friend.request', { userId: ann })
  await eventually('it is gone', async () => (await w.read.get(subscription.at({ userId: ann, id: gone.id }))) === undefined)
  await settled()
  expect(bodies(stays)).toEqual(['Bob asks to be your friend'])
  expect((await w.read.get(pushCounts.at({ userId: ann }))).subscriptions).toBe(1)
  expect((await w.read.get(subscription.at({ userId: ann, id: stays.id })))?.lastDeliveredAt).not.toBeNull()
})

test('whatever dies on the way, each device is told', async () => {
  await open(11)
  for (const [who, name] of [
    [ann, 'Ann'],
    [bob, 'Bob'],
  ] as const)
    await join(who, name)
  await befriend(bob, ann)
  await settled()
  const phone = await subscribe(ann)
  const postId = await publish(ann)
  w.set({ crash: 0.05, lostAnswer: 0.05, publish: 0.1, duplicate: 0.2 })
  for (let i = 0; i < 10; i++) await w.send('comment.add', bob, { postId, content: `Number ${i}` })
  await w.clock.advance(5_000)
  w.set(CALM)
  await eventually('all are told', () => new Set(bodies(phone)).size === 10)
  await settled()
  expect((await w.left()).dead).toBe(0)
})
