import { expect, test } from 'vitest'
import { granted } from '../kernel/testing/world.ts'
import { ann, bob, cem, dan, village } from '../testing/village.ts'
import { changesSince } from '../timelines/views/changes.ts'
import { notificationViews } from './views.ts'

type Village = ReturnType<typeof village>
type Question = { readonly unread?: 'true' | 'false'; readonly grouped?: 'true' | 'false' }
const ask = async (w: Village, by: string, data: Question = {}, page: { limit?: number; after?: string } = {}) => {
  w.settle()
  const question = { by, data, now: w.now(), limit: page.limit ?? 20, after: page.after }
  return granted(await notificationViews['notification.list'](question, await w.read()))
}
const shown = async (w: Village, by: string, data: Question = {}) =>
  (await ask(w, by, data)).items.map(n => [n.type, n.user?.firstName, n.read])

/** Ann has a post; Bob, Cem and Dan, her friends, like it, and Bob comments on it. */
const square = () => {
  const w = village(ann, bob, cem, dan)
  for (const friend of [bob, cem, dan]) w.befriend(ann, friend)
  const { id: postId } = w.publish(ann)
  for (const friend of [bob, cem, dan]) w.say(friend, 'post.like', { postId })
  return { w, postId, commentId: w.comment(bob, postId) }
}

test('what others did is listed newest first, with who did it, and nobody hears of themselves', async () => {
  const { w, postId, commentId } = square()
  w.say(ann, 'post.like', { postId })
  const { items, unreadCount, next } = await ask(w, ann)
  expect(items.map(n => [n.type, n.user?.firstName])).toEqual([
    ['comment.added', 'Bob'],
    ['post.liked', 'Dan'],
    ['post.liked', 'Cem'],
    ['post.liked', 'Bob'],
    ['friend.accepted', 'Dan'],
    ['friend.accepted', 'Cem'],
    ['friend.accepted', 'Bob'],
  ])
  expect(items[0]).toMatchObject({ postId, commentId, read: false })
  expect(items[1]).toMatchObject({ postId, commentId: null })
  expect([unreadCount, next]).toEqual([7, null])
  expect([...items].sort((x, y) => (x.createdAt < y.createdAt ? 1 : -1))).toEqual(items)
  const first = await ask(w, ann, {}, { limit: 3 })
  const rest = await ask(w, ann, {}, { limit: 10, after: first.next ?? '' })
  expect([...first.items, ...rest.items]).toEqual(items)
})

test('what does not stand any more is out: unliked, deleted, withdrawn, answered, blocked', async () => {
  const { w, postId, commentId } = square()
  const again = w.comment(bob, postId)
  expect((await ask(w, ann)).items[0]).toMatchObject({ commentId: again })
  w.say(bob, 'comment.delete', { postId, commentId: again })
  expect((await ask(w, ann)).items[0], 'the comment before it stands').toMatchObject({ type: 'comment.added', commentId })
  w.say(bob, 'comment.delete', { postId, commentId })
  w.say(bob, 'post.unlike', { postId })
  w.say(cem, 'user.block', { userId: ann })
  expect(await shown(w, ann)).toEqual([
    ['post.liked', 'Dan', false],
    ['friend.accepted', 'Dan', false],
    ['friend.accepted', 'Bob', false],
  ])
  expect((await ask(w, ann)).unreadCount).toBe(3)
  w.say(ann, 'post.delete', { postId })
  w.say(ann, 'friend.remove', { userId: dan })
  w.say(ann, 'friend.remove', { userId: bob })
  w.say(bob, 'friend.request', { userId: ann })
  expect(await shown(w, ann)).toEqual([['friend.requested', 'Bob', false]])
  w.say(ann, 'friend.accept', { userId: bob })
  expect(await shown(w, ann)).toEqual([])
  expect(await shown(w, bob)).toEqual([['friend.accepted', 'Ann', false]])
})

test('a name is always the current one, and a like that comes again comes to the top, unread', async () => {
  const { w, postId } = square()
  const { items } = await ask(w, ann)
  w.say(ann, 'notification.read', { upTo: items[0]?.id ?? '' })
  w.say(bob, 'user.edit', { firstName: 'Robert' })
  w.say(bob, 'post.unlike', { postId })
  w.say(bob, 'post.like', { postId })
  expect((await shown(w, ann)).slice(0, 3)).toEqual([
    ['post.liked', 'Robert', false],
    ['comment.added', 'Robert', true],
    ['post.liked', 'Dan', true],
  ])
  expect(await shown(w, ann, { unread: 'true' })).toEqual([['post.liked', 'Robert', false]])
  expect((await ask(w, ann)).unreadCount).toBe(1)
})

test('grouped, there is one entry a post and type, with how many and the newest three', async () => {
  const eve = 'eeeeeeee-0000-4000-8000-000000000005'
  const { w, postId } = square()
  w.say(eve, 'user.replace', { firstName: 'Eve', lastName: 'Example' })
  w.befriend(ann, eve)
  w.say(eve, 'post.like', { postId })
  const groups = async () => (await ask(w, ann, { grouped: 'true' })).items
  expect((await groups()).map(g => [g.type, g.postId, g.count, g.users?.map(u => u.firstName), g.user?.firstName])).toEqual([
    ['post.liked', postId, 4, ['Eve', 'Dan', 'Cem'], 'Eve'],
    ['friend.accepted', null, 4, ['Eve', 'Dan', 'Cem'], 'Eve'],
    ['comment.added', postId, 1, ['Bob'], 'Bob'],
  ])
  w.say(eve, 'post.unlike', { postId })
  const comment = (await groups()).find(g => g.type === 'comment.added')
  w.say(ann, 'notification.read', { upTo: comment?.id ?? '' })
  expect((await groups()).map(g => [g.type, g.count, g.read])).toEqual([
    ['friend.accepted', 4, false],
    ['comment.added', 1, true],
    ['post.liked', 3, true],
  ])
  const first = await ask(w, ann, { grouped: 'true' }, { limit: 2 })
  const rest = await ask(w, ann, { grouped: 'true' }, { limit: 2, after: first.next ?? '' })
  expect([...first.items, ...rest.items].map(g => g.type)).toEqual(['friend.accepted', 'comment.added', 'post.liked'])
})

test('notifications are kept for 90 days', async () => {
  const { w } = square()
  const days = (n: number) => new Date(Date.parse('2026-11-20T12:00:00.000Z') + n * 86_400_000).toISOString()
  w.until(days(89))
  expect((await ask(w, ann)).items).toHaveLength(7)
  w.until(days(91))
  expect(await ask(w, ann)).toMatchObject({ items: [], unreadCount: 0, next: null })
})

test('a device that resumes is told of what stands, and of what was read', async () => {
  const { w, postId } = square()
  const { items } = await ask(w, ann)
  const since = w.now() + 1
  const told = async () =>
    (await changesSince(await w.read(), ann, since, w.now())).filter(c => c.type.startsWith('notification.')).map(c => [c.type, c.data])
  w.say(ann, 'notification.read', { upTo: items[2]?.id ?? '' })
  w.say(cem, 'post.unlike', { postId })
  w.say(bob, 'post.unlike', { postId })
  w.say(bob, 'post.like', { postId })
  w.settle()
  const now = (await ask(w, ann)).items
  expect(await told()).toEqual([
    ['notification.read', { unreadCount: 3 }],
    ['notification.created', now[0]],
  ])
})
