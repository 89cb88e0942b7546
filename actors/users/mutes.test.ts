import { expect, test } from 'vitest'
import { circle, counts, LIMITS, pair, pairOf, user } from '../../contracts/users.ts'
import { granted } from '../kernel/testing/world.ts'
import { renderNotification } from '../push/render-notification.ts'
import { ann, bob, cem, nobody, village } from '../testing/village.ts'
import { changesSince } from '../timelines/views/changes.ts'
import { timelineViews } from '../timelines/views.ts'
import { userViews as views } from './queries.ts'
import { userRules as rules } from './rules.ts'

type World = ReturnType<typeof village>
const asks = (w: World, by: string) => ({ by, data: {}, now: w.now(), limit: 100, after: undefined })
const mutesOf = async (w: World, by: string) => granted(await views['mute.list'](asks(w, by), await w.read())).items.map(p => p.id)
const timelineOf = async (w: World, by: string) =>
  granted(await timelineViews['timeline.get'](asks(w, by), await w.read())).items.map(p => p.id)
const row = {
  userId: ann,
  other: bob,
  relation: 'none' as const,
  since: '',
  changedAt: '2026-11-20T12:00:00.000Z',
  eventId: '',
  mutedAt: null,
}
const rowOf = (w: World, userId: string, other: string) => w.at(circle.at({ userId, other }))

test('who is muted stays a friend, and their post leaves the timeline and what a resume tells, until they are unmuted', async () => {
  const w = village(ann, bob, cem)
  w.befriend(ann, bob)
  w.befriend(ann, cem)
  const [{ id: bobs }, { id: cems }, { id: anns }] = [w.publish(bob), w.publish(cem), w.publish(ann)]
  expect(await timelineOf(w, ann)).toEqual([cems, bobs])
  expect(w.say(ann, 'user.mute', { userId: bob })).toMatchObject({ status: 204, body: undefined })
  expect(w.say(ann, 'user.mute', { userId: bob })).toMatchObject({ status: 204, events: [] })
  expect(await timelineOf(w, ann)).toEqual([cems])
  expect(await timelineOf(w, bob), 'he cannot tell').toEqual([anns])
  const told = await changesSince(await w.read(), ann, Date.parse('2026-11-20T00:00:00.000Z'), w.now())
  expect(told.flatMap(c => (c.type === 'post.published' ? [c.data.id] : [])).sort()).toEqual([anns, cems].sort())
  expect(rowOf(w, ann, bob)).toMatchObject({ relation: 'friend' })
  expect(rowOf(w, bob, ann)).toMatchObject({ relation: 'friend', mutedAt: null })
  expect(await mutesOf(w, ann)).toEqual([bob])
  expect(w.say(ann, 'user.unmute', { userId: bob }).status).toBe(204)
  expect(await timelineOf(w, ann)).toEqual([cems, bobs])
  expect(w.say(ann, 'user.unmute', { userId: bob })).toMatchObject({ status: 204, events: [] })
})

test('no push tells of a post of who is muted; of what else they do it does', async () => {
  const w = village(ann, bob)
  w.befriend(ann, bob)
  const [{ id: bobs }, { id: anns }] = [w.publish(bob), w.publish(ann)]
  w.say(bob, 'post.like', { postId: anns })
  w.say(ann, 'user.mute', { userId: bob })
  const notice = async (type: 'post.published' | 'post.liked', postId: string) =>
    renderNotification(await w.read(), { type, at: '2026-11-20T09:00:00.000Z', by: bob, postId, commentId: null }, ann, 'en')
  expect(await notice('post.published', bobs)).toBeUndefined()
  expect(await notice('post.liked', anns)).toMatchObject({ type: 'post.liked' })
  w.say(ann, 'user.unmute', { userId: bob })
  expect(await notice('post.published', bobs)).toMatchObject({ type: 'post.published' })
})

test('strangers can be muted, and a mute outlasts a friendship, a request and a block', async () => {
  const w = village(ann, bob)
  w.say(ann, 'user.mute', { userId: bob })
  expect(rowOf(w, ann, bob)).toMatchObject({ relation: 'none' })
  // It is no change between the two: nobody who comes back is told that somebody left.
  expect(await changesSince(await w.read(), ann, Date.parse('2026-11-20T00:00:00.000Z'), w.now())).toEqual([])
  w.befriend(ann, bob)
  expect(rowOf(w, ann, bob)).toMatchObject({ relation: 'friend' })
  w.say(bob, 'friend.remove', { userId: ann })
  w.until('2026-12-24T00:00:00.000Z')
  expect(rowOf(w, ann, bob)?.mutedAt).not.toBeNull()
  expect(await mutesOf(w, ann)).toEqual([bob])
  w.say(bob, 'user.block', { userId: ann })
  expect(await mutesOf(w, ann), 'who is hidden is not shown').toEqual([])
  expect(w.say(ann, 'user.mute', { userId: bob }).refused).toBe('not-found')
  w.say(bob, 'user.unblock', { userId: ann })
  expect(await mutesOf(w, ann)).toEqual([bob])
  w.say(bob, 'user.block', { userId: ann })
  expect(w.say(ann, 'user.unmute', { userId: bob })).toMatchObject({ status: 204, events: [{ type: 'user.unmuted' }] })
  w.say(bob, 'user.unblock', { userId: ann })
  expect([rowOf(w, ann, bob), w.at(counts.at({ userId: ann })).mutes]).toEqual([undefined, 0])
})

test('one mutes whom one may know of, but not oneself, and a thousand at most', () => {
  const w = village(ann, bob, cem)
  w.say(cem, 'user.block', { userId: ann })
  expect(w.say(ann, 'user.mute', { userId: ann }).refused).toBe('cannot-mute-self')
  for (const userId of [cem, nobody]) {
    expect(w.say(ann, 'user.mute', { userId }).refused).toBe('not-found')
    expect(w.say(ann, 'user.unmute', { userId })).toMatchObject({ status: 204, events: [] })
  }
  expect(w.say(nobody, 'user.mute', { userId: ann }).refused).toBe('profile-required')
  const [me, them] = [ann, bob].map(userId => w.at(user.at({ userId })))
  const message = { id: 'm', by: ann, at: '2026-11-20T12:00:00.000Z', data: { userId: bob } }
  const full = { ...counts.initial, mutes: LIMITS.mutes }
  const people = { me: me ?? user.initial, them: them ?? user.initial, theirs: counts.initial, entry: undefined }
  expect(rules.decide['user.mute'](pair.initial, message, { ...people, mine: full })).toMatchObject({ refused: 'mute-limit-reached' })
  const event = { id: 'm.0', at: message.at, now: message.at, by: ann, data: { ...pairOf(ann, bob), by: ann, entry: row } }
  const sums = rules.apply['user.muted'](pair.initial, event).writes ?? []
  expect(sums.flatMap(x => (x.write === 'add' ? [x.atMost] : []))).toEqual([{ mutes: LIMITS.mutes }])
})

test('a late toggle undoes nothing newer, and a mute makes nothing of the other’s late', () => {
  const w = village(ann, bob)
  const at = (hour: number) => `2026-11-20T${hour}:00:00.000Z`
  w.say(ann, 'user.mute', { userId: bob }, { at: at(10) })
  w.say(ann, 'user.unmute', { userId: bob }, { at: at(12) })
  expect(w.say(ann, 'user.mute', { userId: bob }, { at: at(11), redriven: true })).toMatchObject({ status: 204, events: [] })
  w.say(ann, 'user.mute', { userId: bob }, { at: at(14) })
  expect(w.say(ann, 'user.unmute', { userId: bob }, { at: at(13), redriven: true })).toMatchObject({ status: 204, events: [] })
  expect(w.say(bob, 'friend.request', { userId: ann }, { at: at(11), redriven: true }).status).toBe(201)
})
