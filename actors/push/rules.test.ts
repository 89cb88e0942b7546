import { expect, test } from 'vitest'
import { holder, PushSubscription, preferences, pushCounts, subscription, subscriptionIdOf } from '../../contracts/push.ts'
import { ann, bob, nobody, village } from '../testing/village.ts'
import { refusedEndpoint } from './endpoint.ts'

// The example of RFC 8291.
const keys = {
  p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
  auth: 'BTBZMqHH6r4Tts7J_aSIgg',
}
const at = (name: string, over: object = {}) => ({ endpoint: `https://fcm.googleapis.com/fcm/send/${name}`, keys, ...over })

type Village = ReturnType<typeof village>
const countOf = (w: Village, userId: string) => w.at(pushCounts.at({ userId })).subscriptions
const subscriptionOf = (w: Village, userId: string, id: string) => w.at(subscription.at({ userId, id }))

test('a subscription begins, is renewed with new keys, and a repeat changes nothing', () => {
  const w = village(ann)
  const begun = w.say(ann, 'push.subscribe', at('x'))
  const id = begun.body?.id ?? ''
  expect(begun).toMatchObject({ status: 201, body: { id: subscriptionIdOf('https://fcm.googleapis.com/fcm/send/x') } })
  expect(w.say(ann, 'push.subscribe', at('x'))).toMatchObject({ status: 200, body: { id }, events: [] })
  const other = { ...keys, auth: 'AAAAAAAAAAAAAAAAAAAAAA' }
  expect(w.say(ann, 'push.subscribe', at('x', { keys: other, expirationTime: 8e15 }))).toMatchObject({ status: 200, body: { id } })
  expect(subscriptionOf(w, ann, id)).toMatchObject({ auth: other.auth, expirationTime: 8e15, createdAt: begun.at, command: begun.id })
  expect(countOf(w, ann)).toBe(1)
})

test('an endpoint is one person’s: subscribing moves it, and what the one before says of it is nothing any more', () => {
  const w = village(ann, bob)
  const id = w.say(ann, 'push.subscribe', at('x')).body?.id ?? ''
  expect(w.say(bob, 'push.subscribe', at('x'))).toMatchObject({ status: 201, body: { id } })
  expect([subscriptionOf(w, ann, id), subscriptionOf(w, bob, id)?.userId]).toEqual([undefined, bob])
  expect([countOf(w, ann), countOf(w, bob)]).toEqual([0, 1])
  expect(w.say(ann, 'push.unsubscribe', { id })).toMatchObject({ status: 204, events: [] })
  expect(subscriptionOf(w, bob, id)).toBeDefined()
})

test('it ends, and may begin again', () => {
  const w = village(ann)
  const id = w.say(ann, 'push.subscribe', at('x')).body?.id ?? ''
  for (const events of [[{ type: 'push.unsubscribed' }], []])
    expect(w.say(ann, 'push.unsubscribe', { id })).toMatchObject({ status: 204, events })
  expect([subscriptionOf(w, ann, id), countOf(w, ann)]).toEqual([undefined, 0])
  expect(w.say(ann, 'push.unsubscribe', { id: 'never-was' }).status).toBe(204)
  expect(w.say(ann, 'push.subscribe', at('x')).status).toBe(201)
  w.until('2027-12-01T00:00:00.000Z')
  // the tombstone of the first one would be gone by now, and takes nothing along
  expect(w.at(holder.at({ id })).userId).toBe(ann)
})

test('it expires only for whom, and as which, it was found gone', () => {
  const w = village(ann, bob)
  const { id: command, body } = w.say(ann, 'push.subscribe', at('x'))
  const id = body?.id ?? ''
  const expire = (userId: string, made: string) => w.say(userId, 'push.expire', { id, userId, command: made }).events.map(e => e.type)
  expect(expire(bob, command)).toEqual([])
  expect(expire(ann, 'another')).toEqual([])
  expect(expire(ann, command)).toEqual(['push.expired'])
  expect([subscriptionOf(w, ann, id), countOf(w, ann)]).toEqual([undefined, 0])
})

test('twenty are the most; one that moves in counts, one that is renewed does not', () => {
  const w = village(ann, bob)
  for (let i = 0; i < 20; i++) expect(w.say(ann, 'push.subscribe', at(`x${i}`)).status).toBe(201)
  w.say(bob, 'push.subscribe', at('his'))
  expect(w.say(ann, 'push.subscribe', at('one-more')).refused).toBe('subscription-limit-reached')
  expect(w.say(ann, 'push.subscribe', at('his')).refused).toBe('subscription-limit-reached')
  expect(w.say(ann, 'push.subscribe', at('x3', { expirationTime: 8e15 })).status).toBe(200)
  expect(w.say(bob, 'push.subscribe', at('x3')).status).toBe(201)
  expect(w.say(ann, 'push.subscribe', at('one-more')).status).toBe(201)
})

test('preferences have defaults, are replaced as a whole, and what is left out goes back', () => {
  const w = village(ann)
  expect(w.at(preferences.at({ userId: ann })).types).toMatchObject({ 'post.liked': true, 'post.published': false })
  const quietHours = { from: '22:00', to: '07:00' }
  const chosen = w.say(ann, 'push.prefer', { types: { 'post.liked': false, 'post.published': true }, quietHours })
  expect(chosen).toMatchObject({
    status: 200,
    body: { types: { 'post.liked': false, 'post.published': true, 'comment.added': true }, quietHours },
  })
  expect(w.say(ann, 'push.prefer', { types: { 'post.liked': false, 'post.published': true }, quietHours }).events).toEqual([])
  expect(w.say(ann, 'push.prefer', {}).body).toMatchObject({ types: { 'post.liked': true, 'post.published': false }, quietHours: null })
})

test('without a profile there is nothing to subscribe to', () => {
  const w = village()
  expect(w.say(nobody, 'push.subscribe', at('x')).refused).toBe('profile-required')
  expect(w.say(nobody, 'push.unsubscribe', { id: 'x' }).refused).toBe('profile-required')
  expect(w.say(nobody, 'push.prefer', {}).refused).toBe('profile-required')
})

test('a dead letter that comes after something newer does nothing', () => {
  const w = village(ann, bob)
  const late = { at: '2026-11-20T10:00:00.000Z', redriven: true }
  w.say(bob, 'push.subscribe', at('x'), { at: '2026-11-20T11:00:00.000Z' })
  expect(w.say(ann, 'push.subscribe', at('x'), late).events).toEqual([])
  w.say(ann, 'push.prefer', { types: { 'post.liked': false } }, { at: '2026-11-20T11:00:00.000Z' })
  expect(w.say(ann, 'push.prefer', {}, late).events).toEqual([])
})

test('only what browsers make is taken', () => {
  const taken = (over: object) => PushSubscription.safeParse({ ...at('x'), ...over }).success
  expect(taken({})).toBe(true)
  expect(taken({ keys: { p256dh: `${keys.p256dh}=`, auth: `${keys.auth}==` }, expirationTime: null, more: 1 })).toBe(true)
  expect(taken({ endpoint: 'no address' })).toBe(false)
  expect(taken({ endpoint: `https://fcm.googleapis.com/${'x'.repeat(2048)}` })).toBe(false)
  expect(taken({ keys: undefined })).toBe(false)
  expect(taken({ keys: { ...keys, auth: 'AAAA' } })).toBe(false)
  expect(taken({ keys: { ...keys, p256dh: 'AAAA' } })).toBe(false)
  // a compressed point
  expect(taken({ keys: { ...keys, p256dh: `A${keys.p256dh.slice(1, 44)}` } })).toBe(false)
})

test('a subscription ends at a moment that there can be, in whole milliseconds, or never', () => {
  const ends = (expirationTime: unknown) => PushSubscription.safeParse({ ...at('x'), expirationTime }).data?.expirationTime
  expect([undefined, null, 1_795_636_208_007, 8.64e15].map(ends)).toEqual([null, null, 1_795_636_208_007, 8.64e15])
  expect([-1, 1_795_636_208_007.25, 5e-324, 8.65e15, 1e16, 1e300, '1', ''].map(ends)).toEqual(Array(8).fill(undefined))
})
test('one that has ended begins no more, by the time of the message', () => {
  const w = village(ann)
  const sent = '2026-11-20T12:00:00.000Z'
  const ending = (expirationTime: number) => w.say(ann, 'push.subscribe', at(`x${expirationTime}`, { expirationTime }), { at: sent })
  for (const past of [0, 1, Date.parse(sent) - 1, Date.parse(sent)])
    expect(ending(past)).toMatchObject({ refused: 'validation-failed', events: [] })
  expect([countOf(w, ann), ending(Date.parse(sent) + 1).status, countOf(w, ann)]).toEqual([0, 201, 1])
})

test('one endpoint has one id, however it is written', () => {
  const idOf = (endpoint: string) => subscriptionIdOf(PushSubscription.parse({ endpoint, keys }).endpoint)
  expect(idOf('https://FCM.googleapis.com:443/fcm/send/x')).toBe(idOf('https://fcm.googleapis.com/fcm/send/x'))
  expect(idOf('https://fcm.googleapis.com/fcm/send/X')).not.toBe(idOf('https://fcm.googleapis.com/fcm/send/x'))
})

test('only push services are endpoints', () => {
  const w = village(ann)
  const refused = [
    'http://fcm.googleapis.com/x',
    'https://fcm.googleapis.com:8443/x',
    'https://me@fcm.googleapis.com/x',
    'https://fcm.googleapis.com/x#y',
    'https://fcm.googleapis.com.example.org/x',
    'https://notfcm.googleapis.com/x',
    'https://example.org/x',
    'https://localhost/x',
    'https://127.0.0.1/x',
    'https://[::1]/x',
    'https://2130706433/x',
    'https://169.254.169.254/latest/meta-data',
    'https://8.8.8.8/x',
    'ftp://fcm.googleapis.com/x',
  ]
  for (const endpoint of refused)
    expect([endpoint, w.say(ann, 'push.subscribe', { endpoint, keys }).refused]).toEqual([endpoint, 'push-endpoint-refused'])
  const known = ['updates.push.services.mozilla.com', 'db5p.notify.windows.com', 'web.push.apple.com', 'fcm.googleapis.com']
  for (const host of known) expect(refusedEndpoint(`https://${host}/x`, [])).toBeUndefined()
})

test('origins that are allowed by name are taken as they are, and no other', () => {
  const allowed = ['http://127.0.0.1:4711']
  expect(refusedEndpoint('http://127.0.0.1:4711/x', allowed)).toBeUndefined()
  expect(refusedEndpoint('http://127.0.0.1:4712/x', allowed)).toContain('https')
  expect(refusedEndpoint('https://127.0.0.1:4711/x', allowed)).toContain('4711')
  expect(refusedEndpoint('http://me@127.0.0.1:4711/x', allowed)).toContain('user')
})
