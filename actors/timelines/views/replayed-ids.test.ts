import { expect, test } from 'vitest'
import { z } from 'zod'
import { memoryBackplane } from '../../kernel/ports/backplane/memory.ts'
import type { Live } from '../../kernel/ports/backplane/port.ts'
import { virtualClock } from '../../kernel/ports/clock/virtual.ts'
import { memoryJobs } from '../../kernel/ports/jobs/memory.ts'
import { acted, type Outcome } from '../../kernel/testing/world.ts'
import { actorNamed } from '../../testing/catalog.ts'
import { ann, bob, cem, dan, village } from '../../testing/village.ts'
import { changesSince } from './changes.ts'

type Village = ReturnType<typeof village>
const timelines = actorNamed('timelines')

/** What a person's devices hear of what was just done. */
const hear = async (w: Village, who: string, { events }: Outcome): Promise<Live[]> => {
  const clock = virtualClock(w.now())
  const backplane = memoryBackplane({ clock })
  const frames: Live[] = []
  const seat = await backplane.join('edge', { reply: () => {}, live: frame => frames.push(frame) })
  await seat.present(who)
  const context = { read: await w.read(), backplane, jobs: memoryJobs({ clock }), clock }
  for (const event of events) if (timelines.declaration.subscribes.includes(event.type)) await acted(timelines, event, context)
  await new Promise(setImmediate)
  await backplane.close()
  return frames
}

test('what was heard live comes again under its own id, and as what it was', async () => {
  const w = village(ann, bob, cem, dan)
  w.befriend(ann, bob)
  w.befriend(ann, cem)
  const began = w.now()
  const heard: Live[] = []
  // The turn follows a while after the message was sent, as it does in a mesh.
  const say = async (by: string, type: Parameters<Village['say']>[1], data: object): Promise<Outcome> => {
    const sent = new Date(w.now()).toISOString()
    w.until(new Date(w.now() + 1_500).toISOString())
    const outcome = w.say(by, type, data, { at: sent })
    expect(outcome.refused, type).toBeUndefined()
    heard.push(...(await hear(w, ann, outcome)))
    return outcome
  }
  await say(bob, 'post.publish', { title: 'Title', content: 'Content' })
  const { id: postId } = z.object({ id: z.string() }).parse((await say(ann, 'post.publish', { title: 'Mine', content: 'Content' })).body)
  await say(ann, 'post.edit', { postId, title: 'Better' })
  await say(dan, 'friend.request', { userId: ann })
  await say(bob, 'user.edit', { firstName: 'Robert' })
  await say(cem, 'friend.remove', { userId: ann })

  const replayed = await changesSince(await w.read(), ann, began, w.now())
  expect(replayed.map(c => c.type)).toEqual(['post.published', 'post.edited', 'friend.requested', 'user.updated', 'friend.removed'])
  for (const { id, type } of replayed) expect(heard).toContainEqual(expect.objectContaining({ id, type }))
})

test('a deleted post, and who left by a block, come again under the ids of their events', async () => {
  const w = village(ann, bob, cem)
  w.befriend(ann, bob)
  w.befriend(ann, cem)
  const { id: postId } = w.publish(bob)
  const began = w.now()
  const heard = [
    ...(await hear(w, ann, w.say(bob, 'post.delete', { postId }))),
    ...(await hear(w, ann, w.say(cem, 'user.block', { userId: ann }))),
  ]
  const replayed = await changesSince(await w.read(), ann, began, w.now())
  expect(replayed.map(c => [c.type, c.id])).toEqual(heard.map(f => [f.type, f.id]))
  expect(replayed).toHaveLength(2)
})

test('what only shows in the counts comes as the post, under an id that was not heard before', async () => {
  const w = village(ann, bob)
  w.befriend(ann, bob)
  const { id: postId } = w.publish(ann)
  const began = w.now()
  const heard = await hear(w, ann, w.say(bob, 'post.like', { postId }))
  const replayed = await changesSince(await w.read(), ann, began, w.now())
  expect(heard).toMatchObject([{ type: 'post.liked' }])
  expect(replayed.filter(c => c.id.endsWith('/post'))).toMatchObject([
    { id: `${heard[0]?.id}/post`, type: 'post.published', data: { id: postId, likeCount: 1 } },
  ])
})
