import { expect, test } from 'vitest'
import { comment, like, postKey, post as record, SWEEP } from '../../contracts/posts.ts'
import { ann, bob, cem, dan, nobody, village } from '../testing/village.ts'

/** Ann has a post; Bob is her friend, Cem a stranger, Dan was blocked by her. */
const square = () => {
  const w = village(ann, bob, cem, dan)
  w.befriend(ann, bob)
  w.befriend(bob, cem)
  w.say(ann, 'user.block', { userId: dan })
  const postId = w.publish(ann).id
  return { w, postId, post: () => w.at(record.at(postKey(postId))) }
}

test('the access table: what everybody but author and friends is told', () => {
  const { w, postId } = square()
  const commentId = w.comment(bob, postId)
  const unknown = `${ann}.20261120.000099`
  for (const [who, id, code] of [
    [cem, postId, 'not-found'],
    [dan, postId, 'not-found'],
    [bob, unknown, 'not-found'],
    [nobody, postId, 'profile-required'],
  ] as const) {
    expect(w.say(who, 'post.edit', { postId: id, title: 'X' }).refused).toBe(code)
    expect(w.say(who, 'post.delete', { postId: id }).refused).toBe(code)
    expect(w.say(who, 'post.like', { postId: id }).refused).toBe(code)
    expect(w.say(who, 'post.unlike', { postId: id }).refused).toBe(code)
    expect(w.say(who, 'comment.add', { postId: id, content: 'X' }).refused).toBe(code)
    expect(w.say(who, 'comment.edit', { postId: id, commentId, content: 'X' }).refused).toBe(code)
    expect(w.say(who, 'comment.delete', { postId: id, commentId }).refused).toBe(code)
  }
  expect(w.say(bob, 'post.edit', { postId, title: 'X' }).refused).toBe('not-the-author')
  expect(w.say(bob, 'post.delete', { postId }).refused).toBe('not-the-author')
})

test('an edit counts the content’s version; the same again does not', () => {
  const { w, postId } = square()
  expect(w.say(ann, 'post.edit', { postId, content: 'New' }, { at: '2026-11-20T10:00:00.000Z' })).toMatchObject({
    status: 200,
    version: 2,
    body: { title: 'Title', content: 'New', editedAt: '2026-11-20T10:00:00.000Z' },
    events: [{ type: 'post.edited', data: { postId, authorId: ann, title: 'Title', content: 'New' } }],
  })
  expect(w.say(ann, 'post.edit', { postId, title: 'Title' })).toMatchObject({ version: 2, events: [] })
  expect(w.say(ann, 'post.edit', { postId, title: 'X' }, { ifMatch: [1] }).refused).toBe('version-mismatch')
  expect(w.say(ann, 'post.delete', { postId }, { ifMatch: [1] }).refused).toBe('version-mismatch')
  for (const ifNoneMatch of ['*', [2]] as const)
    for (const type of ['post.edit', 'post.delete'] as const)
      expect(w.say(ann, type, { postId, title: 'X' }, { ifNoneMatch }).refused).toBe('version-mismatch')
  w.say(bob, 'post.like', { postId })
  expect(w.say(ann, 'post.edit', { postId, title: 'X' }, { ifMatch: [2] })).toMatchObject({ version: 3, body: { likeCount: 1 } })
})

test('an edit or a deletion that was a dead letter does not touch what was written since; likes in between do not matter', () => {
  const { w, postId } = square()
  w.say(ann, 'post.edit', { postId, title: 'New' }, { at: '2026-11-20T12:00:00.000Z' })
  const late = { at: '2026-11-20T11:00:00.000Z', redriven: true }
  expect(w.say(ann, 'post.edit', { postId, title: 'Old' }, late)).toMatchObject({ body: { title: 'New' }, events: [] })
  expect(w.say(ann, 'post.delete', { postId }, late).events).toEqual([])
  w.say(bob, 'post.like', { postId }, { at: '2026-11-20T14:00:00.000Z' })
  expect(w.say(ann, 'post.delete', { postId }, { at: '2026-11-20T13:00:00.000Z', redriven: true }).events).toHaveLength(1)
})

test('a like counts once, and taken back once', () => {
  const { w, postId, post } = square()
  expect(w.say(bob, 'post.unlike', { postId })).toMatchObject({ status: 200, body: { liked: false, likeCount: 0 }, events: [] })
  expect(w.say(bob, 'post.like', { postId })).toMatchObject({ status: 200, body: { liked: true, likeCount: 1 } })
  expect(w.say(bob, 'post.like', { postId })).toMatchObject({ body: { liked: true, likeCount: 1 }, events: [] })
  expect(w.say(ann, 'post.like', { postId }).body).toEqual({ liked: true, likeCount: 2 })
  expect(w.say(bob, 'post.unlike', { postId }).body).toEqual({ liked: false, likeCount: 1 })
  expect(w.say(bob, 'post.unlike', { postId })).toMatchObject({ body: { liked: false, likeCount: 1 }, events: [] })
  expect(post()).toMatchObject({ likeCount: 1, contentVersion: 1 })
})

test('a like that was a dead letter does not undo that it was taken back, for 14 days', () => {
  const { w, postId } = square()
  w.say(bob, 'post.like', { postId }, { at: '2026-11-20T10:00:00.000Z' })
  w.say(bob, 'post.unlike', { postId }, { at: '2026-11-20T12:00:00.000Z' })
  const late = { at: '2026-11-20T11:00:00.000Z', redriven: true }
  expect(w.say(bob, 'post.like', { postId }, late)).toMatchObject({ body: { liked: false, likeCount: 0 }, events: [] })
  w.until('2026-12-04T11:59:59.000Z')
  expect(w.at(like.at({ postId, by: bob }))).toMatchObject({ liked: false })
  w.until('2026-12-04T12:00:00.000Z')
  expect(w.at(like.at({ postId, by: bob }))).toBeUndefined()
})

test('comments are added, changed by their author, deleted by theirs or the post’s', () => {
  const { w, postId, post } = square()
  w.befriend(ann, cem)
  const added = w.say(bob, 'comment.add', { postId, content: ' Hi ' })
  expect(added).toMatchObject({ status: 201, body: { author: { id: bob, firstName: 'Bob' }, content: 'Hi', editedAt: null } })
  const commentId = added.body?.id ?? ''
  expect(w.say(cem, 'comment.edit', { postId, commentId, content: 'X' }).refused).toBe('not-the-author')
  expect(w.say(ann, 'comment.edit', { postId, commentId, content: 'X' }).refused).toBe('not-the-author')
  expect(w.say(cem, 'comment.delete', { postId, commentId }).refused).toBe('not-the-author')
  const edited = w.say(bob, 'comment.edit', { postId, commentId, content: 'Ho' }, { at: '2026-11-20T12:00:00.000Z' })
  expect(edited).toMatchObject({ status: 200, body: { id: commentId, content: 'Ho', editedAt: '2026-11-20T12:00:00.000Z' } })
  expect(w.say(bob, 'comment.edit', { postId, commentId }).events).toEqual([])

  const another = w.comment(cem, postId)
  expect(post()).toMatchObject({ commentCount: 2 })
  expect(w.say(ann, 'comment.delete', { postId, commentId: another }).status).toBe(204)
  expect(w.say(bob, 'comment.delete', { postId, commentId }).status).toBe(204)
  expect(post()).toMatchObject({ commentCount: 0 })
  for (const type of ['comment.edit', 'comment.delete'] as const)
    expect(w.say(bob, type, { postId, commentId, content: 'X' }).refused).toBe('not-found')
  expect(w.at(comment.at({ postId, commentId }))).toMatchObject({ deleted: true, content: '' })
})

test('an unknown comment is not found, whatever its id looks like', () => {
  const { w, postId } = square()
  for (const commentId of ['3f0e8b0a-52b4-4a56-a2ee-1c9b8a9d5b1f', `x.${bob}`, `x.${dan}`, 'x'])
    expect(w.say(bob, 'comment.delete', { postId, commentId }).refused).toBe('not-found')
})

test('a comment of somebody blocked is not there, for the post’s author and for others', () => {
  const { w, postId } = square()
  w.befriend(ann, cem)
  const commentId = w.comment(bob, postId)
  w.say(cem, 'user.block', { userId: bob })
  expect(w.say(cem, 'comment.edit', { postId, commentId, content: 'X' }).refused).toBe('not-found')
  expect(w.say(bob, 'comment.edit', { postId, commentId, content: 'X' }).status).toBe(200)
  w.say(bob, 'user.block', { userId: ann })
  expect(w.say(ann, 'comment.delete', { postId, commentId }).refused).toBe('not-found')
  expect(w.say(bob, 'comment.delete', { postId, commentId }).refused).toBe('not-found')
})

test('a comment is added once, however often its command comes; deleted, it does not come back', () => {
  const { w, postId, post } = square()
  const first = w.say(bob, 'comment.add', { postId, content: 'Hi' })
  const again = { id: first.id, at: first.at, redriven: true }
  expect(w.say(bob, 'comment.add', { postId, content: 'Hi' }, again)).toMatchObject({ body: first.body, events: [] })
  w.say(bob, 'comment.delete', { postId, commentId: first.body?.id ?? '' })
  expect(w.say(bob, 'comment.add', { postId, content: 'Hi' }, again).events).toEqual([])
  expect(post()).toMatchObject({ commentCount: 0 })
})

test('a comment’s edit or deletion that was a dead letter does not touch a newer one', () => {
  const { w, postId } = square()
  const commentId = w.comment(bob, postId)
  w.say(bob, 'comment.edit', { postId, commentId, content: 'New' }, { at: '2026-11-20T12:00:00.000Z' })
  const late = { at: '2026-11-20T11:00:00.000Z', redriven: true }
  expect(w.say(bob, 'comment.edit', { postId, commentId, content: 'Old' }, late).body).toMatchObject({ content: 'New' })
  expect(w.say(bob, 'comment.delete', { postId, commentId }, late).events).toEqual([])
})

test('a deleted post is gone at once, and everything below it after the sweeps', () => {
  const { w, postId, post } = square()
  w.say(bob, 'post.like', { postId })
  for (let n = 0; n < 2 * SWEEP + 5; n++) w.comment(n % 2 ? ann : bob, postId)
  expect(w.say(ann, 'post.delete', { postId })).toMatchObject({
    status: 204,
    events: [{ type: 'post.deleted', data: { postId, authorId: ann } }],
  })
  expect(post()).toMatchObject({ status: 'deleted' })
  expect(w.say(bob, 'post.like', { postId }).refused).toBe('not-found')
  expect(w.say(ann, 'post.delete', { postId }).refused).toBe('not-found')
  w.settle()
  expect(w.stored().filter(({ place }) => place.pk === `post#${postId}`)).toEqual([])
  expect(post()).toMatchObject({ status: 'deleted' })
  w.until('2026-12-20T00:00:00.000Z')
  expect(post()).toMatchObject({ status: 'none' })
})

test('a post that lives is not swept', () => {
  const { w, postId } = square()
  w.comment(bob, postId)
  expect(w.say(ann, 'post.sweep', { postId }).events).toEqual([])
})
