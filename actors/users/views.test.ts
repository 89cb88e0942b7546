import { expect, test } from 'vitest'
import { granted } from '../kernel/testing/world.ts'
import { ann, bob, cem, dan, nobody, village } from '../testing/village.ts'
import { userViews as views } from './queries.ts'
import { standingOf } from './views.ts'

const ask = <D>(by: string, data: D, page: { limit?: number; after?: string } = {}) => ({
  by,
  data,
  now: Date.parse('2026-11-20T12:00:00.000Z'),
  limit: page.limit ?? 20,
  after: page.after,
})

test('a profile shows its e-mail address to its owner only, and how the reader stands to it', async () => {
  const w = village(ann, bob, cem)
  w.say(ann, 'user.register', { userId: ann, email: 'ann@example.org' })
  w.befriend(ann, bob)
  w.say(ann, 'friend.request', { userId: cem })
  const read = await w.read()
  expect(await views['user.me'](ask(ann, {}), read)).toMatchObject({
    body: { id: ann, relation: 'self', friendCount: 1, email: 'ann@example.org' },
    version: 1,
  })
  for (const [who, relation] of [
    [bob, 'friend'],
    [cem, 'incoming'],
    [nobody, 'none'],
  ] as const) {
    const answer = await views['user.get'](ask(who, { userId: ann }), read)
    expect(answer).toMatchObject({ body: { id: ann, firstName: 'Ann', friendCount: 1, relation } })
    expect(answer).not.toHaveProperty('body.email')
  }
  expect(await views['user.get'](ask(ann, { userId: cem }), read)).toMatchObject({ body: { relation: 'outgoing' } })
  expect(await views['user.get'](ask(ann, { userId: ann }), read)).toMatchObject({ body: { email: 'ann@example.org' } })
})

test('who never came, who only signed up and who blocks are told apart by nobody', async () => {
  const w = village(ann, bob)
  w.say(bob, 'user.block', { userId: ann })
  w.say(nobody, 'user.register', { userId: nobody, email: 'n@example.org' })
  const read = await w.read()
  const answers = await Promise.all([bob, nobody, cem].map(userId => views['user.get'](ask(ann, { userId }), read)))
  expect(new Set(answers.map(a => JSON.stringify(a))).size).toBe(1)
  expect(answers[0]).toMatchObject({ refused: 'not-found' })
  expect(await views['user.get'](ask(bob, { userId: ann }), read)).toEqual(answers[0])
  expect(await views['user.me'](ask(nobody, {}), read)).toMatchObject({ refused: 'profile-required' })
  expect(await Promise.all([ann, bob, cem].map(x => standingOf(read, ann, x)))).toEqual(['self', 'hidden', 'hidden'])
})

test('friends come newest first, in pages, without those whom the reader does not see', async () => {
  const w = village(ann, bob, cem, dan)
  for (const friend of [cem, dan, bob]) w.befriend(ann, friend)
  let read = await w.read()
  const first = granted(await views['friend.list'](ask(bob, { userId: ann }, { limit: 2 }), read))
  expect(first).toMatchObject({ items: [{ id: bob }, { id: dan }] })
  const after = first.next ?? ''
  expect(await views['friend.list'](ask(bob, { userId: ann }, { limit: 2, after }), read)).toMatchObject({
    items: [{ id: cem }],
    next: null,
  })

  // Hidden ones at the end do not show as an empty last page either.
  w.say(bob, 'user.block', { userId: cem })
  w.say(dan, 'user.block', { userId: bob })
  read = await w.read()
  expect(await views['friend.list'](ask(bob, { userId: ann }, { limit: 1 }), read)).toMatchObject({ items: [{ id: bob }], next: null })
  expect(await views['friend.list'](ask(cem, { userId: ann }, { limit: 2 }), read)).toMatchObject({
    items: [{ id: dan }, { id: cem }],
    next: null,
  })
  expect(await views['friend.list'](ask(bob, { userId: dan }), read)).toMatchObject({ refused: 'not-found' })
  expect(await views['friend.list'](ask(cem, { userId: bob }), read)).toMatchObject({ refused: 'not-found' })
  expect(await views['friend.list'](ask(nobody, { userId: ann }), read)).toMatchObject({ refused: 'not-a-friend' })
  expect(await views['friend.list'](ask(nobody, { userId: nobody }), read)).toEqual({ items: [], next: null })
})

test('requests and blocks are lists of one’s own', async () => {
  const w = village(ann, bob, cem, dan)
  w.say(cem, 'friend.request', { userId: ann }, { at: '2026-11-20T10:00:00.000Z' })
  w.say(bob, 'friend.request', { userId: ann }, { at: '2026-11-20T11:00:00.000Z' })
  w.say(ann, 'user.block', { userId: dan })
  w.say(dan, 'user.block', { userId: ann })
  const read = await w.read()
  expect(await views['friend.requests'](ask(ann, { direction: 'incoming' as const }), read)).toEqual({
    items: [
      { user: { id: bob, firstName: 'Bob', lastName: 'Example', avatar: null }, createdAt: '2026-11-20T11:00:00.000Z' },
      { user: { id: cem, firstName: 'Cem', lastName: 'Example', avatar: null }, createdAt: '2026-11-20T10:00:00.000Z' },
    ],
    next: null,
  })
  expect(await views['friend.requests'](ask(ann, { direction: 'outgoing' as const }), read)).toMatchObject({ items: [] })
  expect(await views['friend.requests'](ask(bob, { direction: 'outgoing' as const }), read)).toMatchObject({
    items: [{ user: { id: ann } }],
  })
  expect(await views['block.list'](ask(ann, {}), read)).toMatchObject({ items: [{ id: dan, firstName: 'Dan' }], next: null })
  expect(await views['block.list'](ask(bob, {}), read)).toMatchObject({ items: [] })
})
