import { expect, test } from 'vitest'
import { granted } from '../kernel/testing/world.ts'
import { ann, bob, cem, dan, nobody, village } from '../testing/village.ts'
import { postViews as views } from './views.ts'

const ask = <D>(by: string, data: D, c: { limit?: number; after?: string; now?: string } = {}) => ({
  by,
  data,
  now: Date.parse(c.now ?? '2026-11-20T12:00:00.000Z'),
  limit: c.limit ?? 20,
  after: c.after,
})

test('a post reads the same for everybody but for what is the reader’s own; the author is as they are now', async () => {
  const w = village(ann, bob, cem)
  w.befriend(ann, bob)
  const { id: postId } = w.publish(ann)
  w.say(bob, 'post.like', { postId })
  w.say(ann, 'user.edit', { firstName: 'Anne' })
  const read = await w.read()
  expect(await views['post.get'](ask(bob, { postId }), read)).toMatchObject({
    version: 1,
    body: { id: postId, author: { id: ann, firstName: 'Anne' }, likeCount: 1, liked: true },
  })
  expect(await views['post.get'](ask(ann, { postId }), read)).toMatchObject({ body: { likeCount: 1, liked: false } })
  const hidden = await views['post.get'](ask(cem, { postId }), read)
  expect(hidden).toMatchObject({ refused: 'not-found' })
  expect(await views['post.get'](ask(bob, { postId: `${ann}.20261120.000002` }), read)).toEqual(hidden)
})

test('the current post is there until the author’s day is over, and while it is not deleted', async () => {
  const w = village(ann, bob, cem, dan)
  w.befriend(ann, bob)
  w.say(dan, 'user.block', { userId: ann })
  const yesterday = w.publish(ann, { at: '2026-11-19T10:00:00.000Z' })
  const { id: postId } = w.publish(ann)
  const today = async (by: string, now?: string) =>
    views['post.today'](ask(by, { userId: ann }, now === undefined ? {} : { now }), await w.read())
  expect(await today(bob)).toMatchObject({ body: { id: postId }, version: 1 })
  expect(await today(bob, '2026-11-20T23:59:59.999Z')).toMatchObject({ body: { id: postId } })
  expect(await today(bob, '2026-11-21T00:00:00.000Z')).toMatchObject({ refused: 'not-found' })
  expect(await today(cem)).toMatchObject({ refused: 'not-a-friend' })
  expect(await today(dan)).toMatchObject({ refused: 'not-found' })
  w.say(ann, 'post.delete', { postId: yesterday.id })
  expect(await today(bob)).toMatchObject({ body: { id: postId } })
  w.say(ann, 'post.delete', { postId })
  expect(await today(bob)).toMatchObject({ refused: 'not-found' })
  expect(await today(ann)).toMatchObject({ refused: 'not-found' })
})

test('the archive comes newest first, in full pages, without what was deleted', async () => {
  const w = village(ann, bob)
  w.befriend(ann, bob)
  const posts = ['20', '21', '22', '23', '24'].map(day => w.publish(ann, { at: `2026-11-${day}T09:00:00.000Z` }).id)
  for (const k of [1, 2]) w.say(ann, 'post.delete', { postId: posts[k] ?? '' })
  w.say(bob, 'post.like', { postId: posts[0] ?? '' })
  const read = await w.read()
  const first = granted(await views['post.list'](ask(bob, { userId: ann }, { limit: 2 }), read))
  expect(first).toMatchObject({ items: [{ id: posts[4] }, { id: posts[3], liked: false }] })
  const after = first.next ?? ''
  expect(await views['post.list'](ask(bob, { userId: ann }, { limit: 2, after }), read)).toMatchObject({
    items: [{ id: posts[0], liked: true }],
    next: null,
  })
})

test('likes and comments of people whom the reader does not see are left out, and pages are filled with what follows', async () => {
  const w = village(ann, bob, cem, dan)
  for (const friend of [bob, cem, dan]) w.befriend(ann, friend)
  const { id: postId } = w.publish(ann)
  for (const liker of [ann, bob, cem, dan]) w.say(liker, 'post.like', { postId })
  w.say(ann, 'post.unlike', { postId })
  const said = [bob, cem, bob, cem, dan, bob].map(by => w.comment(by, postId))
  w.say(ann, 'comment.delete', { postId, commentId: said[4] ?? '' })
  w.say(cem, 'user.block', { userId: bob })
  const read = await w.read()
  expect(await views['like.list'](ask(cem, { postId }, { limit: 1 }), read)).toMatchObject({ items: [{ id: cem }] })
  expect(await views['like.list'](ask(cem, { postId }, { limit: 2 }), read)).toMatchObject({
    items: [{ id: cem }, { id: dan }],
    next: null,
  })
  expect(await views['comment.list'](ask(cem, { postId }, { limit: 2 }), read)).toMatchObject({
    items: [{ id: said[1] }, { id: said[3] }],
    next: null,
  })
  expect(await views['comment.list'](ask(bob, { postId }), read)).toMatchObject({
    items: [{ id: said[0] }, { id: said[2] }, { id: said[5] }],
  })
  expect(await views['comment.list'](ask(dan, { postId }), read)).toMatchObject({ items: { length: 5 } })
  // Counts are everybody's.
  expect(await views['post.get'](ask(cem, { postId }), read)).toMatchObject({ body: { likeCount: 3, commentCount: 5 } })
  for (const list of ['like.list', 'comment.list'] as const)
    expect(await views[list](ask(nobody, { postId }), read)).toMatchObject({ refused: 'not-found' })
})
