import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { entry, inbox, MAX_ENTRIES, MAX_UNREAD_COUNT, notificationIdOf } from '../../contracts/notifications.ts'
import { granted } from '../kernel/testing/world.ts'
import { ann, bob, cem, nobody, village } from '../testing/village.ts'
import { notificationViews } from './views.ts'

type Village = ReturnType<typeof village>
const postId = `${ann}.20261120.000001`
const START = Date.parse('2026-11-20T10:00:00.000Z')
const time = (minutes: number) => new Date(START + minutes * 60_000).toISOString()

/** What somebody did to Ann's post, as her inbox is told of it. */
type Told = { readonly by: string; readonly minutes: number; readonly commentId: string | null }
const add = (w: Village, { by, minutes, commentId }: Told, post = postId) => {
  const data = { userId: ann, type: commentId === null ? ('post.liked' as const) : ('comment.added' as const), by, postId: post, commentId }
  return w.say(by, 'notification.add', data, { at: time(minutes) })
}
const entries = async (w: Village) =>
  (await (await w.read()).range(entry, { userId: ann }, { limit: 1000, reverse: true })).items.map(i => i.value)

test('an event that comes again changes nothing, and one entry stands for a post, type and person', async () => {
  const w = village(ann, bob, cem)
  expect(add(w, { by: bob, minutes: 1, commentId: null }).events).toHaveLength(1)
  expect(add(w, { by: bob, minutes: 1, commentId: null }).events).toEqual([])
  add(w, { by: cem, minutes: 2, commentId: null })
  add(w, { by: bob, minutes: 3, commentId: 'c1' })
  add(w, { by: bob, minutes: 4, commentId: null })
  expect((await entries(w)).map(e => [e.type, e.by])).toEqual([
    ['post.liked', bob],
    ['comment.added', bob],
    ['post.liked', cem],
  ])
})

test('whatever order events come in, and however often, the inbox comes to the same', async () => {
  const told = fc.record({
    by: fc.constantFrom(bob, cem),
    minutes: fc.integer({ min: 0, max: 20 }),
    c: fc.constantFrom(null, 'c1', 'c2', 'c3'),
  })
  const result = async (list: readonly Told[]) => {
    const w = village(ann, bob, cem)
    w.until(time(60))
    for (const t of list) add(w, t)
    const found = await entries(w)
    return { found: found.map(({ changedAt: _, eventId: __, ...e }) => e), unread: w.at(inbox.at({ userId: ann })).unread }
  }
  await fc.assert(
    fc.asyncProperty(
      fc.array(told, { maxLength: 7 }).chain(list => {
        const all = list.map(({ by, minutes, c }): Told => ({ by, minutes, commentId: c && `${c}-${minutes}` }))
        return fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length }))
      }),
      async ([list, shuffled]) => {
        expect(await result(shuffled)).toEqual(await result(list))
      },
    ),
    { numRuns: 60 },
  )
})

test('all is read up to one that was given out; what comes late is unread all the same', async () => {
  const w = village(ann, bob, cem)
  for (const minutes of [1, 3, 5]) add(w, { by: bob, minutes, commentId: null }, `${ann}.2026112${minutes}.000001`)
  const [newest, middle, oldest] = (await entries(w)).map(e => e.id)
  const read = (upTo = '') => w.say(ann, 'notification.read', { upTo })
  expect(read(middle)).toMatchObject({ status: 200, body: { unreadCount: 1 }, events: [{ type: 'notification.read' }] })
  expect(read(middle)).toMatchObject({ body: { unreadCount: 1 }, events: [] })
  expect(read(oldest).events).toEqual([])
  add(w, { by: cem, minutes: 2, commentId: null })
  const list = granted(
    await notificationViews['notification.list']({ by: ann, data: {}, now: w.now(), limit: 20, after: undefined }, await w.read()),
  )
  // None of these posts is there: what does not stand is not shown, and not counted.
  expect([list.items, list.unreadCount]).toEqual([[], 0])
  expect(w.at(inbox.at({ userId: ann })).unread).toEqual([newest, (await entries(w)).find(e => e.by === cem)?.id])
  expect(read(newest)).toMatchObject({ body: { unreadCount: 0 } })
})

test('an id that moved on is known still; one that was never given out, or is another’s, is refused', () => {
  const w = village(ann, bob, cem)
  const idOf = (o: ReturnType<typeof add>) => z.object({ id: z.string() }).parse(o.events[0]?.data).id
  const first = idOf(add(w, { by: bob, minutes: 1, commentId: 'c1' }))
  add(w, { by: cem, minutes: 2, commentId: 'c2' })
  add(w, { by: bob, minutes: 3, commentId: 'c3' })
  const read = (by: string, upTo: string) => w.say(by, 'notification.read', { upTo })
  // It was shown when only the first comment was there: the newer one stays unread.
  expect(read(ann, first)).toMatchObject({ body: { unreadCount: 2 } })
  const last = first.at(-1) === 'A' ? 'B' : 'A'
  for (const never of [notificationIdOf(time(9), 'AAAAAAAAAAAAAAAA'), first.replace('2026', '2025'), first.slice(0, -1) + last])
    expect(read(ann, never).refused).toBe('validation-failed')
  expect(read(bob, first).refused).toBe('validation-failed')
  expect(read(nobody, first).refused).toBe('profile-required')
  expect(() => read(ann, 'x')).toThrow()
})

test('an inbox is bounded: the oldest are pushed out, the unread count stops, and what is older than all of it stays out', async () => {
  const w = village(ann, bob)
  const post = (n: number) => `${ann}.20261120.${String(n).padStart(6, '0')}`
  for (let n = 1; n <= MAX_ENTRIES + 3; n++) add(w, { by: bob, minutes: n, commentId: null }, post(n))
  const kept = await entries(w)
  expect([kept.length, kept.at(-1)?.postId, kept[0]?.postId]).toEqual([MAX_ENTRIES, post(4), post(MAX_ENTRIES + 3)])
  expect(w.at(inbox.at({ userId: ann })).unread).toHaveLength(MAX_UNREAD_COUNT)
  expect(add(w, { by: bob, minutes: 0, commentId: null }, post(900)).events).toEqual([])
  expect(add(w, { by: bob, minutes: 1, commentId: null }, post(1)).events).toEqual([])
  // What was there goes by itself after 90 days, and makes room.
  const later = 95 * 24 * 60
  w.until(time(later))
  for (let n = 0; n < 3; n++) add(w, { by: bob, minutes: later + n, commentId: null }, post(n + 1000))
  expect(await entries(w)).toHaveLength(3)
  expect(Object.values(w.at(inbox.at({ userId: ann })).perDay)).toEqual([3])
})
