import { expect, test } from 'vitest'
import { MAX_PINS, pin, pins } from '../../contracts/posts.ts'
import { granted } from '../kernel/testing/world.ts'
import { ann, bob, cem, nobody, village } from '../testing/village.ts'
import { changesSince } from '../timelines/views/changes.ts'
import { timelineViews } from '../timelines/views.ts'
import { asSeenBy } from './views/as-seen-by.ts'
import { postViews as views } from './views.ts'

type World = ReturnType<typeof village>
const day = (n: number) => `2026-11-${String(n).padStart(2, '0')}T10:00:00.000Z`
const asks = <D>(w: World, by: string, data: D) => ({ by, data, now: w.now(), limit: 100, after: undefined })
const pinsOf = async (w: World, by: string, userId: string) =>
  granted(await views['pin.list'](asks(w, by, { userId }), await w.read())).items.map(p => p.id)

test('pins are shown newest first, to those who see the person and the post', async () => {
  const w = village(ann, bob, cem)
  w.befriend(ann, bob)
  w.befriend(bob, cem)
  const { id: first } = w.publish(ann)
  const { id: second } = w.publish(bob)
  expect(w.say(bob, 'post.pin', { postId: second })).toMatchObject({ status: 204, body: undefined })
  expect(w.say(bob, 'post.pin', { postId: first }).status).toBe(204)
  expect(w.say(bob, 'post.pin', { postId: first })).toMatchObject({ status: 204, events: [] })
  expect(await pinsOf(w, bob, bob)).toEqual([first, second])
  expect(await pinsOf(w, ann, bob)).toEqual([first, second])
  expect(await pinsOf(w, cem, bob), 'not the post of a stranger').toEqual([second])
  expect(await views['pin.list'](asks(w, cem, { userId: ann }), await w.read())).toMatchObject({ refused: 'not-a-friend' })
  expect(await views['pin.list'](asks(w, cem, { userId: nobody }), await w.read())).toMatchObject({ refused: 'not-found' })
  expect(w.say(cem, 'post.pin', { postId: first }).refused).toBe('not-found')
  w.say(ann, 'friend.remove', { userId: bob })
  expect(await pinsOf(w, bob, bob)).toEqual([second])
  // What one sees no more can be unpinned.
  expect(w.say(bob, 'post.unpin', { postId: first })).toMatchObject({ status: 204, events: [{ type: 'post.unpinned' }] })
  expect(w.say(bob, 'post.unpin', { postId: first })).toMatchObject({ status: 204, events: [] })
})

test('a post says on every surface whether its reader has pinned it', async () => {
  const w = village(ann, bob)
  w.befriend(ann, bob)
  const { id: postId } = w.publish(ann)
  w.say(bob, 'post.pin', { postId })
  const read = await w.read()
  const told = await asSeenBy(read, { type: 'post.published', at: '2026-11-20T09:00:00.000Z', data: { postId } }, [ann, bob])
  for (const [by, pinned] of [
    [ann, false],
    [bob, true],
  ] as const) {
    const seen = { id: postId, pinned }
    expect(await views['post.get'](asks(w, by, { postId }), read)).toMatchObject({ body: seen })
    expect(await views['post.today'](asks(w, by, { userId: ann }), read)).toMatchObject({ body: seen })
    expect(await views['post.list'](asks(w, by, { userId: ann }), read)).toMatchObject({ items: [seen] })
    expect(await views['pin.list'](asks(w, by, { userId: bob }), read)).toMatchObject({ items: [seen] })
    expect(await timelineViews['timeline.get'](asks(w, by, { include: 'self' as const }), read)).toMatchObject({ items: [seen] })
    expect((await changesSince(read, by, 0, w.now())).find(c => c.type === 'post.published')?.data).toMatchObject(seen)
    expect(told.filter(t => t.to.includes(by)).map(t => t.data.pinned)).toEqual([pinned])
  }
  w.say(ann, 'post.pin', { postId })
  expect(w.say(ann, 'post.edit', { postId, title: 'New' }).body).toMatchObject({ pinned: true })
})

test('ten pins, and one more when one is gone; a deleted post takes its pins along', async () => {
  const w = village(ann, bob)
  w.befriend(ann, bob)
  const ids = Array.from({ length: MAX_PINS + 1 }, (_, n) => w.publish(ann, { at: day(n + 10) }).id)
  const [first = '', last = ''] = [ids[0], ids.at(-1)]
  for (const postId of ids.slice(0, -1)) {
    expect(w.say(bob, 'post.pin', { postId }).status).toBe(204)
    expect(w.say(ann, 'post.pin', { postId }).status).toBe(204)
  }
  expect(w.say(bob, 'post.pin', { postId: last }).refused).toBe('pin-limit-reached')
  w.say(ann, 'post.delete', { postId: first })
  expect(await pinsOf(w, bob, bob), 'gone at once').not.toContain(first)
  w.settle()
  for (const userId of [ann, bob]) expect(w.at(pins.at({ userId })).pins).toHaveLength(MAX_PINS - 1)
  expect(w.say(bob, 'post.pin', { postId: last }).status).toBe(204)
  expect(w.say(bob, 'post.pin', { postId: first }).refused).toBe('not-found')
})

test('a pin that was made while its post was deleted and swept goes with its own event', () => {
  const w = village(ann, bob)
  w.befriend(ann, bob)
  const { id: postId } = w.publish(ann)
  w.say(bob, 'post.pin', { postId })
  const drop = () => w.say(bob, 'post.drop-pin', { postId, userId: bob }).events
  expect(drop(), 'its post stands').toEqual([])
  w.say(ann, 'post.delete', { postId })
  expect(drop()).toMatchObject([{ type: 'post.unpinned' }])
  expect(drop()).toEqual([])
  expect(w.at(pins.at({ userId: bob })).pins).toEqual([])
})

test('a late toggle undoes nothing newer', () => {
  const w = village(ann, bob)
  w.befriend(ann, bob)
  const { id: postId } = w.publish(ann)
  const at = (hour: number) => `2026-11-20T${hour}:00:00.000Z`
  w.say(bob, 'post.pin', { postId }, { at: at(10) })
  w.say(bob, 'post.unpin', { postId }, { at: at(12) })
  expect(w.say(bob, 'post.pin', { postId }, { at: at(11), redriven: true })).toMatchObject({ status: 204, events: [] })
  w.say(bob, 'post.pin', { postId }, { at: at(14) })
  expect(w.say(bob, 'post.unpin', { postId }, { at: at(13), redriven: true })).toMatchObject({ status: 204, events: [] })
  expect(w.at(pin.at({ postId, by: bob }))?.pinned).toBe(true)
})
