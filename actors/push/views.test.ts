import { expect, test } from 'vitest'
import { granted } from '../kernel/testing/world.ts'
import { ann, bob, nobody, village } from '../testing/village.ts'
import { pushViews as views } from './views.ts'

const ask = (by: string, page: { limit?: number; after?: string } = {}) => ({
  by,
  data: {},
  now: Date.parse('2026-11-20T12:00:00.000Z'),
  limit: page.limit ?? 20,
  after: page.after,
})
const keys = {
  p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
  auth: 'BTBZMqHH6r4Tts7J_aSIgg',
}
const at = (name: string) => ({ endpoint: `https://fcm.googleapis.com/fcm/send/${name}`, keys })

test('the key to subscribe with is told before one has a profile; where nothing can be sent there is none', async () => {
  const read = await village().read()
  expect(await views('the-key')['push.key'](ask(nobody), read)).toEqual({ body: { publicKey: 'the-key' } })
  expect(await views(undefined)['push.key'](ask(nobody), read)).toMatchObject({ refused: 'not-found' })
})

test('people read their own preferences, and the defaults before they have any', async () => {
  const w = village(ann, bob)
  w.say(ann, 'push.prefer', { types: { 'post.liked': false }, quietHours: null })
  const read = await w.read()
  const preferences = views('the-key')['push.preferences']
  expect(await preferences(ask(ann), read)).toMatchObject({
    body: { types: { 'post.liked': false, 'comment.added': true }, quietHours: null },
  })
  expect(await preferences(ask(bob), read)).toMatchObject({ body: { types: { 'post.liked': true }, quietHours: null } })
})

test('people see their own subscriptions, the newest first and page by page, without what it takes to send', async () => {
  const w = village(ann, bob)
  for (const name of ['x', 'y', 'z']) w.say(ann, 'push.subscribe', at(name))
  w.say(bob, 'push.subscribe', at('his'))
  const read = await w.read()
  const list = views('the-key')['push.subscriptions']
  const first = granted(await list(ask(ann, { limit: 2 }), read))
  const endpoints = (items: readonly { endpoint: string }[]) => items.map(i => i.endpoint.split('/').at(-1))
  expect(endpoints(first.items)).toEqual(['z', 'y'])
  expect(first.items[0]).toMatchObject({ lastDeliveredAt: null, expirationTime: null })
  expect(first.items[0]).not.toHaveProperty('auth')
  const rest = granted(await list(ask(ann, { limit: 2, after: first.next ?? '' }), read))
  expect([endpoints(rest.items), rest.next]).toEqual([['x'], null])
  expect(granted(await list(ask(nobody), read)).items).toEqual([])
})
