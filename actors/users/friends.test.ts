import { expect, test } from 'vitest'
import { circle, counts, pair, pairOf } from '../../contracts/users.ts'
import { actorNamed } from '../testing/catalog.ts'
import { type World, world } from '../testing/world.ts'
import { userRules as rules } from './rules.ts'

const ann = 'a0000000-0000-4000-8000-000000000001'
const bob = 'b0000000-0000-4000-8000-000000000002'
const nobody = 'f0000000-0000-4000-8000-00000000000f'
const village = (...people: string[]) => {
  const w = world([actorNamed('users')])
  for (const p of people) w.say(p, 'user.replace', { firstName: p.slice(0, 1), lastName: 'X' })
  return w
}
const standsTo = (w: World, a: string, b: string) => w.at(circle.at({ userId: a, other: b }))?.relation
const countsOf = (w: World, userId: string) => w.at(counts.at({ userId }))

test('a request waits until it is accepted; both circles and counts follow', () => {
  const w = village(ann, bob)
  expect(w.say(ann, 'friend.request', { userId: bob })).toMatchObject({ status: 201, body: { status: 'pending' } })
  expect([standsTo(w, ann, bob), standsTo(w, bob, ann)]).toEqual(['outgoing', 'incoming'])
  expect(countsOf(w, ann)).toMatchObject({ outgoing: 1, incoming: 0, friends: 0 })
  expect(w.say(ann, 'friend.request', { userId: bob })).toMatchObject({ status: 200, body: { status: 'pending' }, events: [] })
  expect(w.say(bob, 'friend.accept', { userId: ann })).toMatchObject({ status: 200, body: { status: 'friends' } })
  expect([standsTo(w, ann, bob), standsTo(w, bob, ann)]).toEqual(['friend', 'friend'])
  expect(countsOf(w, ann)).toEqual({ friends: 1, incoming: 0, outgoing: 0, blocks: 0, mutes: 0 })
  expect(countsOf(w, bob)).toEqual({ friends: 1, incoming: 0, outgoing: 0, blocks: 0, mutes: 0 })
  expect(w.say(bob, 'friend.request', { userId: ann })).toMatchObject({ status: 200, body: { status: 'friends' }, events: [] })
})

test('crossing requests make friends', () => {
  const w = village(ann, bob)
  w.say(ann, 'friend.request', { userId: bob })
  expect(w.say(bob, 'friend.request', { userId: ann })).toMatchObject({
    status: 200,
    body: { status: 'friends' },
    events: [{ type: 'friend.accepted', data: { by: bob } }],
  })
})

test('only the receiver accepts, and only what waits', () => {
  const w = village(ann, bob)
  expect(w.say(bob, 'friend.accept', { userId: ann }).refused).toBe('no-pending-request')
  w.say(ann, 'friend.request', { userId: bob })
  expect(w.say(ann, 'friend.accept', { userId: bob }).refused).toBe('no-pending-request')
  expect(w.say(ann, 'friend.accept', { userId: nobody }).refused).toBe('not-found')
})

test('either side ends a request, and either a friendship; again it is done already', () => {
  const w = village(ann, bob)
  for (const who of [ann, bob]) {
    const other = who === ann ? bob : ann
    w.say(ann, 'friend.request', { userId: bob })
    expect(w.say(who, 'friend.withdraw', { userId: other })).toMatchObject({
      status: 204,
      events: [{ type: 'friend.removed', data: { was: 'pending', requestedBy: ann, by: who } }],
    })
    expect(w.say(who, 'friend.withdraw', { userId: other })).toMatchObject({ status: 204, events: [] })
    w.say(ann, 'friend.request', { userId: bob })
    expect(w.say(who, 'friend.remove', { userId: other }).events, 'a request is no friendship').toEqual([])
    w.say(bob, 'friend.accept', { userId: ann })
    expect(w.say(who, 'friend.withdraw', { userId: other }).events).toEqual([])
    expect(w.say(who, 'friend.remove', { userId: other }).events).toMatchObject([{ type: 'friend.removed', data: { was: 'friends' } }])
    expect(w.say(who, 'friend.remove', { userId: other })).toMatchObject({ status: 204, events: [] })
    expect(countsOf(w, ann)).toEqual({ friends: 0, incoming: 0, outgoing: 0, blocks: 0, mutes: 0 })
    expect(countsOf(w, bob)).toEqual({ friends: 0, incoming: 0, outgoing: 0, blocks: 0, mutes: 0 })
  }
})

test('a circle remembers who left it for 25 hours, so that a client can resume after a day', () => {
  const w = village(ann, bob)
  w.say(ann, 'friend.request', { userId: bob })
  w.say(bob, 'friend.withdraw', { userId: ann }, { at: '2026-11-20T10:00:00.000Z' })
  w.until('2026-11-21T10:59:59.000Z')
  expect([standsTo(w, ann, bob), standsTo(w, bob, ann)]).toEqual(['none', 'none'])
  w.until('2026-11-21T11:00:00.000Z')
  expect([standsTo(w, ann, bob), standsTo(w, bob, ann)]).toEqual([undefined, undefined])
})

test('a block ends what was, hides each from the other, and stands until the one who blocked lifts it', () => {
  const w = village(ann, bob)
  w.say(ann, 'friend.request', { userId: bob })
  w.say(bob, 'friend.accept', { userId: ann })
  expect(w.say(ann, 'user.block', { userId: bob })).toMatchObject({
    status: 204,
    events: [{ type: 'friend.removed', data: { was: 'friends' } }, { type: 'user.blocked' }],
  })
  expect([standsTo(w, ann, bob), standsTo(w, bob, ann)]).toEqual(['blocked', 'none'])
  expect(countsOf(w, ann)).toEqual({ friends: 0, incoming: 0, outgoing: 0, blocks: 1, mutes: 0 })
  expect(countsOf(w, bob)).toEqual({ friends: 0, incoming: 0, outgoing: 0, blocks: 0, mutes: 0 })
  expect(w.say(ann, 'user.block', { userId: bob })).toMatchObject({ status: 204, events: [] })
  for (const [who, other] of [
    [ann, bob],
    [bob, ann],
  ] as const) {
    expect(w.say(who, 'friend.request', { userId: other }).refused).toBe('not-found')
    expect(w.say(who, 'friend.accept', { userId: other }).refused).toBe('not-found')
    expect(w.say(who, 'friend.withdraw', { userId: other }).status).toBe(204)
    expect(w.say(who, 'friend.remove', { userId: other }).status).toBe(204)
  }
  expect(w.say(bob, 'user.unblock', { userId: ann })).toMatchObject({ status: 204, events: [] })
  expect(w.say(bob, 'user.block', { userId: ann })).toMatchObject({ status: 204 })
  w.say(ann, 'user.unblock', { userId: bob })
  expect(w.say(ann, 'friend.request', { userId: bob }).refused).toBe('not-found')
  w.say(bob, 'user.unblock', { userId: ann })
  expect(w.say(ann, 'friend.request', { userId: bob }).status).toBe(201)
})

test('a block of a request that waits is told as its end; of a stranger nobody is told', () => {
  const w = village(ann, bob)
  expect(w.say(ann, 'user.block', { userId: bob }).events).toMatchObject([{ type: 'user.blocked' }])
  w.say(ann, 'user.unblock', { userId: bob })
  w.say(bob, 'friend.request', { userId: ann })
  expect(w.say(ann, 'user.block', { userId: bob }).events).toMatchObject([
    { type: 'friend.removed', data: { was: 'pending', requestedBy: bob } },
    { type: 'user.blocked' },
  ])
  expect(countsOf(w, bob)).toMatchObject({ outgoing: 0 })
})

test('oneself is neither befriended nor blocked', () => {
  const w = village(ann)
  expect(w.say(ann, 'friend.request', { userId: ann }).refused).toBe('cannot-befriend-self')
  expect(w.say(ann, 'user.block', { userId: ann }).refused).toBe('cannot-block-self')
  expect(w.say(ann, 'friend.accept', { userId: ann }).refused).toBe('no-pending-request')
  expect(w.say(ann, 'friend.remove', { userId: ann }).status).toBe(204)
  expect(w.say(ann, 'user.unblock', { userId: ann }).status).toBe(204)
})

test('people without a profile do not exist for others, and do nothing', () => {
  const w = village(ann)
  w.say(nobody, 'user.register', { userId: nobody, email: 'n@example.org' })
  expect(w.say(ann, 'friend.request', { userId: nobody }).refused).toBe('not-found')
  expect(w.say(ann, 'user.block', { userId: nobody }).refused).toBe('not-found')
  expect(w.say(ann, 'user.unblock', { userId: nobody }).status).toBe(204)
  for (const type of ['friend.request', 'friend.accept', 'friend.withdraw', 'friend.remove', 'user.block', 'user.unblock'] as const)
    expect(w.say(nobody, type, { userId: ann }).refused).toBe('profile-required')
})

// By values: a thousand friends are quicker written down than made.
const person = (userId: string) => ({
  status: 'live' as const,
  userId,
  email: null,
  profile: { firstName: 'A', lastName: 'B', headline: '', bio: '', location: '', birthday: null, timeZone: 'UTC', language: 'en' },
  contentVersion: 1,
  createdAt: '2026-11-01T00:00:00.000Z',
  createdBy: '',
  changedAt: '2026-11-01T00:00:00.000Z',
  eventId: '',
})
const none = { friends: 0, incoming: 0, outgoing: 0, blocks: 0, mutes: 0 }
const both = { me: person(ann), them: person(bob), mine: none, theirs: none }
const message = { id: 'm', by: ann, at: '2026-11-20T09:00:00.000Z', data: { userId: bob } }
const strangers = pair.initial
const asked = { ...strangers, status: 'pending' as const, requestedBy: bob }

test('limits hold on either side', () => {
  const { 'friend.request': request, 'friend.accept': accept, 'user.block': block } = rules.decide
  const full = { ...none, friends: 1000 }
  expect(request(strangers, message, { ...both, mine: full })).toMatchObject({ refused: 'friend-limit-reached' })
  expect(request(strangers, message, { ...both, theirs: full })).toMatchObject({ refused: 'friend-limit-reached' })
  expect(request(asked, message, { ...both, theirs: full })).toMatchObject({ refused: 'friend-limit-reached' })
  expect(accept(asked, message, { ...both, mine: full })).toMatchObject({ refused: 'friend-limit-reached' })
  expect(accept(asked, message, { ...both, theirs: full })).toMatchObject({ refused: 'friend-limit-reached' })
  expect(accept(asked, message, { ...both, theirs: { ...full, friends: 999 } })).toHaveLength(1)

  expect(request(strangers, message, { ...both, mine: { ...none, outgoing: 1000 } })).toMatchObject({ refused: 'request-limit-reached' })
  expect(request(strangers, message, { ...both, theirs: { ...none, incoming: 1000 } })).toMatchObject({ refused: 'request-limit-reached' })
  // A crossing request opens none.
  expect(request(asked, message, { ...both, mine: { ...none, outgoing: 1000 } })).toMatchObject([{ type: 'friend.accepted' }])

  expect(block(strangers, message, { ...both, mine: { ...none, blocks: 1000 } })).toMatchObject({ refused: 'block-limit-reached' })
})

test('every sum that has a limit is added to under it, for turns of other pairs that run at the same time', () => {
  const event = { id: 'm.0', at: message.at, now: message.at, by: ann, data: { ...pairOf(ann, bob), by: ann } }
  const limits = (type: 'friend.requested' | 'friend.accepted' | 'user.blocked') =>
    (rules.apply[type](strangers, event).writes ?? []).flatMap(w => (w.write === 'add' ? [w.atMost] : []))
  expect(limits('friend.requested')).toEqual([{ outgoing: 1000 }, { incoming: 1000 }])
  expect(limits('friend.accepted')).toEqual([{ friends: 1000 }, { friends: 1000 }])
  expect(limits('user.blocked')).toEqual([{ blocks: 1000 }])
})

test('a repeated request is told what it was told, whatever became of it', () => {
  const { 'friend.request': told } = rules.answer
  expect(told({ ...strangers, command: 'm' }, message, both)).toEqual({ status: 201, body: { status: 'pending' } })
  expect(told({ ...strangers, status: 'friends', command: 'other' }, message, both)).toEqual({ status: 200, body: { status: 'friends' } })
})

test('a dead letter that comes after something newer between the two does nothing', () => {
  const w = village(ann, bob)
  w.say(ann, 'friend.request', { userId: bob }, { at: '2026-11-20T10:00:00.000Z' })
  w.say(bob, 'friend.accept', { userId: ann }, { at: '2026-11-20T11:00:00.000Z' })
  const late = { at: '2026-11-20T10:30:00.000Z', redriven: true }
  for (const type of ['friend.withdraw', 'friend.remove', 'user.block', 'user.unblock'] as const)
    expect(w.say(ann, type, { userId: bob }, late)).toMatchObject({ status: 204, events: [] })
  w.say(ann, 'friend.remove', { userId: bob }, { at: '2026-11-20T12:00:00.000Z' })
  expect(w.say(bob, 'friend.request', { userId: ann }, late).events).toEqual([])
  w.say(bob, 'friend.request', { userId: ann }, { at: '2026-11-20T13:00:00.000Z' })
  expect(w.say(ann, 'friend.accept', { userId: bob }, late).refused).toBe('no-pending-request')
})
