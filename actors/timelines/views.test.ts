import { expect, test } from 'vitest'
import { circle, user } from '../../contracts/users.ts'
import { reader } from '../kernel/authoring/reader.ts'
import { virtualClock } from '../kernel/ports/clock/virtual.ts'
import { memoryStore } from '../kernel/ports/store/memory.ts'
import type { Store, StoreWrite } from '../kernel/ports/store/port.ts'
import { granted } from '../kernel/testing/world.ts'
import { ann, bob, cem, dan, nobody, village } from '../testing/village.ts'
import { timelineViews as views } from './views.ts'

const NOON = '2026-11-20T12:00:00.000Z'
const ask = (by: string, c: { limit?: number; after?: string; now?: string; include?: 'self' } = {}) => ({
  by,
  data: c.include === undefined ? {} : { include: c.include },
  now: Date.parse(c.now ?? NOON),
  limit: c.limit ?? 20,
  after: c.after,
})
const timeline = views['timeline.get']

test('the current posts of all friends, newest first, and one’s own when asked for', async () => {
  const w = village(ann, bob, cem, dan)
  w.befriend(ann, bob)
  w.befriend(ann, cem)
  const at = (minute: number) => ({ at: `2026-11-20T10:0${minute}:00.000Z` })
  const b = w.publish(bob, at(1))
  const a = w.publish(ann, at(2))
  const c = w.publish(cem, at(3))
  w.publish(dan, at(4))
  w.say(ann, 'post.like', { postId: c.id })
  const read = await w.read()
  expect(await timeline(ask(ann), read)).toEqual({
    items: [{ ...c, liked: true, likeCount: 1 }, b],
    next: null,
    covers: { from: c.createdAt, to: b.createdAt, complete: true },
  })
  expect(await timeline(ask(ann, { include: 'self' }), read)).toMatchObject({ items: [{ id: c.id }, { id: a.id }, { id: b.id }] })
  expect(await timeline(ask(bob), read)).toMatchObject({ items: [{ id: a.id }] })
  expect(await timeline(ask(nobody), read)).toEqual({ items: [], next: null, covers: { from: null, to: null, complete: true } })
})

test('pages follow each other and say what they cover', async () => {
  const w = village(ann, bob, cem, dan)
  for (const friend of [bob, cem, dan]) w.befriend(ann, friend)
  // All at the same instant: the order of ids decides, so that no post is lost between pages.
  const at = '2026-11-20T10:00:00.000Z'
  const ids = [bob, cem, dan].map(by => w.publish(by, { at }).id)
  const read = await w.read()
  const first = granted(await timeline(ask(ann, { limit: 2 }), read))
  expect(first).toMatchObject({ items: [{ id: ids[2] }, { id: ids[1] }], covers: { from: at, to: at, complete: false } })
  const after = first.next ?? ''
  expect(await timeline(ask(ann, { limit: 2, after }), read)).toMatchObject({
    items: [{ id: ids[0] }],
    next: null,
    covers: { from: at, to: at, complete: true },
  })
})

test('deletes, edits, renames, blocks and the author’s midnight show at once', async () => {
  const w = village(ann, bob, cem)
  w.say(cem, 'user.edit', { timeZone: 'Asia/Tokyo' })
  w.befriend(ann, bob)
  w.befriend(ann, cem)
  const b = w.publish(bob)
  const c = w.publish(cem)
  const seen = async (now?: string) => {
    const { items } = granted(await timeline(ask(ann, now === undefined ? {} : { now }), await w.read()))
    return items.map(p => p.id)
  }
  expect(await seen()).toEqual([c.id, b.id])
  expect(await seen('2026-11-20T15:00:00.000Z'), 'midnight in Tokyo').toEqual([b.id])
  w.say(bob, 'post.edit', { postId: b.id, title: 'New' })
  w.say(bob, 'user.edit', { firstName: 'Rob' })
  w.say(cem, 'user.block', { userId: ann })
  expect(await timeline(ask(ann), await w.read())).toMatchObject({ items: [{ id: b.id, title: 'New', author: { firstName: 'Rob' } }] })
  w.say(bob, 'post.delete', { postId: b.id })
  expect(await seen()).toEqual([])
})

test('an opening asks for the circle once, for a slot a friend, for three items a post shown, and for the reader’s pins', async () => {
  const clock = virtualClock(Date.parse(NOON))
  const store = memoryStore({ clock })
  const w = village(ann)
  const friends = Array.from({ length: 250 }, (_, n) => `b0000000-0000-4000-8000-${String(n).padStart(12, '0')}`)
  const template = await w.store()
  const [profile] = await template.get([user.at({ userId: ann }).place])
  const since = '2026-11-01T00:00:00.000Z'
  const puts = friends.flatMap((other): StoreWrite[] => [
    { put: { ...profile, ...user.at({ userId: other }).place, userId: other }, table: 'users' },
    {
      put: { ...circle.at({ userId: ann, other }).place, userId: ann, other, relation: 'friend', since, changedAt: since, eventId: 'e' },
      table: 'users',
    },
  ])
  for (let i = 0; i < puts.length; i += 100) await store.commit(puts.slice(i, i + 100))
  const posting = village(...friends.slice(0, 30))
  for (const by of friends.slice(0, 30)) posting.publish(by)
  const posted = posting.stored().filter(({ place }) => place.table === 'posts')
  await store.commit(posted.map(({ place: { pk, sk }, value }) => ({ put: { ...(value as object), pk, sk }, table: 'posts' })))

  const asked: number[] = []
  let queries = 0
  const counting: Store = {
    ...store,
    get: places => {
      asked.push(places.length)
      return store.get(places)
    },
    query: range => {
      queries++
      return store.query(range)
    },
  }
  const answer = await timeline(ask(ann, { limit: 20 }), reader(counting))
  expect(answer).toMatchObject({ items: { length: 20 }, covers: { complete: false } })
  expect(queries).toBe(1)
  expect(asked).toEqual([250, 20, 20, 20, 1])
})
