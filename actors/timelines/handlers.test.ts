import { expect, test } from 'vitest'
import type { EventEnvelope } from '../../contracts/declare/envelope.ts'
import { type StreamEventType, streamEvents } from '../../contracts/stream.ts'
import { memoryBackplane } from '../kernel/ports/backplane/memory.ts'
import type { Live } from '../kernel/ports/backplane/port.ts'
import { virtualClock } from '../kernel/ports/clock/virtual.ts'
import { memoryJobs } from '../kernel/ports/jobs/memory.ts'
import { acted, type Outcome } from '../kernel/testing/world.ts'
import { actorNamed } from '../testing/catalog.ts'
import { ann, bob, cem, dan, village } from '../testing/village.ts'

type Village = ReturnType<typeof village>
const everybody = { one: [ann, bob], two: [cem, dan] }
const eventOf = ({ events }: Outcome, type: StreamEventType): EventEnvelope => {
  const event = events.find(e => e.type === type)
  if (!event) throw new Error(`there was no ${type}`)
  return event
}

/** The frames that each edge is brought when the event is heard as things stand now, their data held against the contract. */
const heard = async (w: Village, event: EventEnvelope, edges: Readonly<Record<string, readonly string[]>> = everybody) => {
  const clock = virtualClock(w.now())
  const backplane = memoryBackplane({ clock })
  const frames: (Live & { edge: string })[] = []
  for (const [edge, people] of Object.entries(edges)) {
    const seat = await backplane.join(edge, { reply: () => {}, live: frame => frames.push({ edge, ...frame }) })
    for (const person of people) await seat.present(person)
  }
  await acted(actorNamed('timelines'), event, { read: await w.read(), backplane, jobs: memoryJobs({ clock }), clock })
  await new Promise(setImmediate)
  await backplane.close()
  for (const { type, data } of frames) streamEvents[type as StreamEventType].parse(data)
  return frames
}
/** Who is told what. */
const toldTo = (frames: readonly Live[]) => Object.fromEntries(frames.flatMap(f => f.to.map(person => [person, f.data])))

/** Ann has a post; Bob and Cem are her friends, Dan is a stranger to her. */
const square = () => {
  const w = village(ann, bob, cem, dan)
  w.befriend(ann, bob)
  w.befriend(ann, cem)
  const published = w.say(ann, 'post.publish', { title: 'Title', content: 'Content' })
  return { w, published, postId: published.body?.id ?? '' }
}

test('a post goes to its author and friends, in one frame an edge for all who read the same', async () => {
  const { w, published, postId } = square()
  const event = eventOf(published, 'post.published')
  const frames = await heard(w, event)
  expect(frames).toMatchObject([
    { edge: 'one', to: [ann, bob], id: event.id, type: 'post.published', at: event.at, data: { id: postId, liked: false } },
    { edge: 'two', to: [cem], data: { id: postId, liked: false } },
  ])
})

test('who has muted the author hears nothing of their posts, but of what else they do', async () => {
  const { w, published, postId } = square()
  w.say(bob, 'user.mute', { userId: ann })
  const edited = w.say(ann, 'post.edit', { postId, title: 'New' })
  for (const event of [eventOf(published, 'post.published'), eventOf(edited, 'post.edited')])
    expect(Object.keys(toldTo(await heard(w, event))).sort()).toEqual([ann, cem])
  const bobs = w.publish(bob)
  const liked = w.say(ann, 'post.like', { postId: bobs.id })
  const renamed = w.say(ann, 'user.edit', { firstName: 'Anna' })
  expect(toldTo(await heard(w, eventOf(liked, 'post.liked')))[bob]).toMatchObject({ user: { id: ann } })
  expect(toldTo(await heard(w, eventOf(renamed, 'user.updated')))[bob]).toMatchObject({ user: { firstName: 'Anna' } })
  const deleted = w.say(ann, 'post.delete', { postId })
  expect(Object.keys(toldTo(await heard(w, eventOf(deleted, 'post.deleted')))).sort()).toEqual([ann, cem])
})

test('who likes a post already reads so; a person on two edges hears on both', async () => {
  const { w, postId } = square()
  w.say(bob, 'post.like', { postId })
  const edited = w.say(ann, 'post.edit', { postId, title: 'New' })
  const frames = await heard(w, eventOf(edited, 'post.edited'), { one: [ann, bob], two: [bob] })
  expect(frames).toHaveLength(3)
  expect(frames.map(f => [f.edge, f.to, (f.data as { liked: boolean }).liked])).toEqual(
    expect.arrayContaining([
      ['one', [bob], true],
      ['two', [bob], true],
      ['one', [ann], false],
    ]),
  )
  expect(frames[0]).toMatchObject({ data: { title: 'New', likeCount: 1 } })
})

test('an event that comes late tells what is so now, and nothing of a post that is gone', async () => {
  const { w, published, postId } = square()
  const edited = w.say(ann, 'post.edit', { postId, title: 'New' })
  const liked = w.say(bob, 'post.like', { postId })
  const said = w.say(bob, 'comment.add', { postId, content: 'Hi' })
  const event = eventOf(published, 'post.published')
  expect(toldTo(await heard(w, event))[cem]).toMatchObject({ title: 'New', likeCount: 1, commentCount: 1 })
  const deleted = w.say(ann, 'post.delete', { postId })
  for (const late of [event, eventOf(edited, 'post.edited'), eventOf(liked, 'post.liked'), eventOf(said, 'comment.added')])
    expect(await heard(w, late)).toEqual([])
  expect(toldTo(await heard(w, eventOf(deleted, 'post.deleted')))).toEqual({
    [ann]: { id: postId, authorId: ann },
    [bob]: { id: postId, authorId: ann },
    [cem]: { id: postId, authorId: ann },
  })
})

test('who was unfriended or blocked since hears nothing', async () => {
  const { w, published } = square()
  w.say(bob, 'friend.remove', { userId: ann })
  w.say(ann, 'user.block', { userId: cem })
  expect(Object.keys(toldTo(await heard(w, eventOf(published, 'post.published'))))).toEqual([ann])
})

test('a like goes to the author and who likes, and not when it was taken back meanwhile', async () => {
  const { w, postId } = square()
  const liked = eventOf(w.say(bob, 'post.like', { postId }), 'post.liked')
  const data = { postId, user: { id: bob, firstName: 'Bob' }, likeCount: 1 }
  expect(toldTo(await heard(w, liked))).toMatchObject({ [ann]: data, [bob]: data })
  expect(await heard(w, liked, { two: [cem, dan] })).toEqual([])
  const unliked = eventOf(w.say(bob, 'post.unlike', { postId }), 'post.unliked')
  expect(await heard(w, liked)).toEqual([])
  expect(toldTo(await heard(w, unliked))).toMatchObject({ [ann]: { likeCount: 0 }, [bob]: { likeCount: 0 } })
  const own = eventOf(w.say(ann, 'post.like', { postId }), 'post.liked')
  expect(await heard(w, own)).toMatchObject([{ to: [ann], data: { user: { id: ann } } }])
})

test('who may not see the post hears nothing below it; the author hears of strangers, not of those blocked', async () => {
  const { w, postId } = square()
  const events = [
    eventOf(w.say(bob, 'post.like', { postId }), 'post.liked'),
    eventOf(w.say(bob, 'comment.add', { postId, content: 'Hi' }), 'comment.added'),
  ]
  w.say(bob, 'friend.remove', { userId: ann })
  for (const event of events) expect(Object.keys(toldTo(await heard(w, event)))).toEqual([ann])
  w.say(bob, 'user.block', { userId: ann })
  for (const event of events) expect(await heard(w, event)).toEqual([])
})

test('a comment goes to the post’s author and its own, as it is now; a deleted one by its id', async () => {
  const { w, postId } = square()
  const added = w.say(bob, 'comment.add', { postId, content: 'Hi' })
  const commentId = added.body?.id ?? ''
  const edited = w.say(bob, 'comment.edit', { postId, commentId, content: 'Ho' })
  const now = { postId, commentCount: 1, comment: { id: commentId, content: 'Ho', author: { id: bob } } }
  expect(toldTo(await heard(w, eventOf(added, 'comment.added')))).toMatchObject({ [ann]: now, [bob]: now })
  expect(toldTo(await heard(w, eventOf(edited, 'comment.edited')))).toMatchObject({ [ann]: now, [bob]: now })
  const deleted = w.say(ann, 'comment.delete', { postId, commentId })
  expect(await heard(w, eventOf(edited, 'comment.edited'))).toEqual([])
  const gone = { postId, commentCount: 0, comment: commentId }
  expect(toldTo(await heard(w, eventOf(deleted, 'comment.deleted')))).toEqual({ [ann]: gone, [bob]: gone })
})

test('each of two people is told of the other, while it is so', async () => {
  const w = village(ann, bob)
  const hears = async (o: Outcome, type: StreamEventType) => toldTo(await heard(w, eventOf(o, type)))
  const eachOther = { [ann]: { user: { id: bob, firstName: 'Bob' } }, [bob]: { user: { id: ann, firstName: 'Ann' } } }
  const requested = w.say(ann, 'friend.request', { userId: bob })
  expect(await hears(requested, 'friend.requested')).toMatchObject(eachOther)
  const accepted = w.say(bob, 'friend.accept', { userId: ann })
  expect(await hears(requested, 'friend.requested')).toEqual({})
  expect(await hears(accepted, 'friend.accepted')).toMatchObject(eachOther)
  const blocked = w.say(ann, 'user.block', { userId: bob })
  expect(await hears(accepted, 'friend.accepted')).toEqual({})
  expect(await hears(blocked, 'friend.removed')).toMatchObject(eachOther)
  w.say(ann, 'user.edit', { firstName: 'Anne' })
  expect(await hears(blocked, 'friend.removed'), 'a name taken after the block is hidden').toMatchObject({
    [ann]: { user: { id: bob, firstName: 'Bob' } },
    [bob]: { user: { id: ann, firstName: '' } },
  })
  w.say(ann, 'user.unblock', { userId: bob })
  w.say(bob, 'friend.request', { userId: ann })
  expect(await hears(blocked, 'friend.removed'), 'they have found together again').toEqual({})
})

test('a changed person is told to their own devices and friends', async () => {
  const { w } = square()
  const updated = w.say(ann, 'user.edit', { firstName: 'Anne' })
  const data = { user: { id: ann, firstName: 'Anne', lastName: 'Example', avatar: null } }
  expect(toldTo(await heard(w, eventOf(updated, 'user.updated')))).toEqual({ [ann]: data, [bob]: data, [cem]: data })
})
