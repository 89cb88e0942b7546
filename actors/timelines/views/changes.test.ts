import { expect, test } from 'vitest'
import { ann, bob, cem, dan, village } from '../../testing/village.ts'
import { changesSince } from './changes.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const at = (hour: string) => ({ at: `2026-11-20T${hour}:00.000Z` })
const since = (hour: string) => Date.parse(at(hour).at)

test('what changed comes once, in its latest state, in the order of change', async () => {
  const w = village(ann, bob, cem)
  w.befriend(ann, bob)
  w.befriend(ann, cem)
  const old = w.publish(bob, at('10:00'))
  const post = w.publish(cem, at('10:10'))
  w.say(bob, 'post.edit', { postId: old.id, title: 'Better' }, at('10:20'))
  w.say(bob, 'user.edit', { firstName: 'Robert' }, at('10:30'))
  w.say(ann, 'post.like', { postId: post.id }, at('10:40'))
  const changes = await changesSince(await w.read(), ann, since('10:15'), NOW)
  expect(changes.map(c => [c.type, c.at])).toEqual([
    ['post.edited', at('10:20').at],
    ['user.updated', at('10:30').at],
    ['post.published', at('10:40').at],
  ])
  expect(changes).toMatchObject([
    { data: { id: old.id, title: 'Better', author: { firstName: 'Robert' } } },
    { data: { user: { id: bob, firstName: 'Robert' } } },
    { data: { id: post.id, likeCount: 1, liked: true } },
  ])
  expect(new Set(changes.map(c => c.id)).size).toBe(3)
  expect(await changesSince(await w.read(), ann, since('10:50'), NOW)).toEqual([])
})

test('relations come as they stand, and those who left are told of', async () => {
  const w = village(ann, bob, cem, dan)
  w.befriend(ann, bob)
  w.say(bob, 'friend.remove', { userId: ann }, at('10:00'))
  w.say(cem, 'friend.request', { userId: ann }, at('10:10'))
  w.say(ann, 'friend.request', { userId: dan }, at('10:20'))
  w.say(dan, 'friend.accept', { userId: ann }, at('10:30'))
  const changes = await changesSince(await w.read(), ann, since('09:55'), NOW)
  expect(changes).toMatchObject([
    { type: 'friend.removed', data: { user: { id: bob } } },
    { type: 'friend.requested', data: { user: { id: cem } } },
    { type: 'friend.accepted', data: { user: { id: dan } } },
  ])
})

test('a deleted post is told of, and one of a person who is no friend is not', async () => {
  const w = village(ann, bob, cem)
  w.befriend(ann, bob)
  const gone = w.publish(bob, at('10:00'))
  w.say(bob, 'post.delete', { postId: gone.id }, at('10:10'))
  const again = w.publish(bob, at('10:20'))
  w.publish(cem, at('10:25'))
  const read = await w.read()
  expect(await changesSince(read, ann, since('09:55'), NOW)).toMatchObject([
    { type: 'post.deleted', data: { id: gone.id, authorId: bob } },
    { type: 'post.published', data: { id: again.id } },
  ])
  // A post of yesterday lives in the archive, which is reloaded when it is shown.
  expect(await changesSince(read, ann, since('10:15'), Date.parse('2026-11-21T00:00:00.000Z'))).toEqual([])
})

test('every post that somebody may still show is told of when it is gone, not only the last that was deleted', async () => {
  const w = village(ann, bob)
  w.befriend(ann, bob)
  const shown = w.publish(bob, at('10:00'))
  w.say(bob, 'post.delete', { postId: shown.id }, at('10:20'))
  const never = w.publish(bob, at('10:30'))
  w.say(bob, 'post.delete', { postId: never.id }, at('10:40'))
  const gone = async (hour: string) =>
    (await changesSince(await w.read(), ann, since(hour), NOW)).map(c => [c.type, c.at, 'id' in c.data && c.data.id])
  const second = ['post.deleted', at('10:40').at, never.id]
  expect(await gone('10:10')).toEqual([['post.deleted', at('10:20').at, shown.id], second])
  expect(await gone('10:25')).toEqual([second])
  expect(await gone('10:50')).toEqual([])
})

test('a name that was taken after a block is not told with the block', async () => {
  const w = village(ann, bob)
  w.befriend(ann, bob)
  w.say(bob, 'user.block', { userId: ann }, at('10:10'))
  const told = async (who: string) => (await changesSince(await w.read(), who, since('09:55'), NOW)).find(c => c.type === 'friend.removed')
  expect(await told(ann)).toMatchObject({ data: { user: { id: bob, firstName: 'Bob' } } })
  w.say(bob, 'user.edit', { firstName: 'Robert' }, at('10:20'))
  expect(await told(ann)).toMatchObject({ data: { user: { id: bob, firstName: '', lastName: '' } } })
  w.say(bob, 'user.unblock', { userId: ann }, at('10:30'))
  expect(await told(ann)).toMatchObject({ data: { user: { id: bob, firstName: 'Robert' } } })
})

test('who blocks somebody is gone from that circle, whose posts are seen no more', async () => {
  const w = village(ann, bob)
  w.befriend(ann, bob)
  w.publish(bob, at('10:00'))
  w.say(bob, 'user.block', { userId: ann }, at('10:10'))
  expect(await changesSince(await w.read(), ann, since('09:55'), NOW)).toMatchObject([
    { type: 'friend.removed', data: { user: { id: bob } } },
  ])
})
