import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { isRefusal, type Refusal } from '../contracts/declare/rules.ts'
import { comment, like, pins, postKey, post as record, slot } from '../contracts/posts.ts'
import { circle, counts } from '../contracts/users.ts'
import { granted, type Outcome } from './kernel/testing/world.ts'
import { postsSeenBy, postViews } from './posts/views.ts'
import { catalog } from './testing/catalog.ts'
import { type Act, type Model, model } from './testing/model.ts'
import { ann, bob, cem, dan } from './testing/village.ts'
import { world } from './testing/world.ts'
import { timelineViews } from './timelines/views.ts'
import { userViews } from './users/queries.ts'

const people = [ann, bob, cem, dan]

/** One step of a program; `nth` picks a post or comment of those there are, `later` is how much time goes by before, in seconds. */
const step = fc.record({
  type: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('friend.request', 'friend.accept') },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        'friend.withdraw',
        'friend.remove',
        'user.block',
        'user.unblock',
        'user.mute',
        'user.unmute',
        'user.replace',
        'user.edit',
      ),
    },
    { weight: 4, arbitrary: fc.constantFrom('post.publish', 'post.like', 'post.unlike', 'post.pin', 'comment.add') },
    { weight: 2, arbitrary: fc.constantFrom('post.edit', 'post.delete', 'post.unpin', 'comment.edit', 'comment.delete') },
  ),
  by: fc.constantFrom(...people),
  other: fc.constantFrom(...people),
  nth: fc.nat(1000),
  later: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(0, 1, 60) }, { weight: 1, arbitrary: fc.constantFrom(3 * 3600, 20 * 3600) }),
})
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const pick = <T>(list: readonly T[], nth: number): T | undefined => list[nth % Math.max(1, list.length)]
const actOf = ({ type, by, other, nth }: Step, m: Model): Act | undefined => {
  const [post, said] = [pick(m.posts, nth), pick(m.comments, nth)]
  switch (type) {
    case 'user.replace':
    case 'user.edit':
    case 'post.publish':
      return { type, by }
    case 'post.edit':
    case 'post.delete':
    case 'post.like':
    case 'post.unlike':
    case 'post.pin':
    case 'post.unpin':
    case 'comment.add':
      return post && { type, by, post }
    case 'comment.edit':
    case 'comment.delete':
      return said && { type, by, comment: said }
    default:
      return { type: type as 'friend.request', by, other }
  }
}

/** Says what an act means, again if need be. */
const sayer =
  (w: ReturnType<typeof world>) =>
  (act: Act, at: string, c: { id?: string; redriven?: boolean } = {}): Outcome => {
    const content = `edited at ${at}`
    const { by } = act
    if (act.type === 'user.replace') return w.say(by, act.type, { firstName: 'A', lastName: 'B', bio: at }, { at, ...c })
    if (act.type === 'user.edit') return w.say(by, act.type, { bio: content }, { at, ...c })
    if ('other' in act) return w.say(by, act.type, { userId: act.other }, { at, ...c })
    if (act.type === 'post.publish') return w.say(by, act.type, { title: 'T', content: 'C' }, { at, ...c })
    if (act.type === 'comment.add') return w.say(by, act.type, { postId: act.post.id, content: 'said' }, { at, ...c })
    if (act.type === 'post.edit') return w.say(by, act.type, { postId: act.post.id, title: content }, { at, ...c })
    if ('post' in act) return w.say(by, act.type, { postId: act.post.id }, { at, ...c })
    const on = { postId: act.comment.post.id, commentId: act.comment.id }
    return act.type === 'comment.edit' ? w.say(by, act.type, { ...on, content }, { at, ...c }) : w.say(by, act.type, on, { at, ...c })
  }

/** Where a program begins: who has a profile, and whether those who have are friends. */
type Start = { readonly profiles: readonly string[]; readonly friends: boolean }
const start = fc.record({ profiles: fc.constantFrom(people, people.slice(1)), friends: fc.boolean() })

/** Runs a program on rules and model, which must agree at every step; gives the messages that had an effect. */
const play = (steps: readonly Step[], { profiles, friends }: Start) => {
  const w = world(catalog)
  const m = model()
  const say = sayer(w)
  const effective: { act: Act; at: string; id: string }[] = []
  const run = (act: Act) => {
    const at = new Date(w.now()).toISOString()
    const outcome = say(act, at)
    const { id: made } = z.object({ id: z.string().default('') }).parse(outcome.body ?? {})
    expect(outcome.refused ?? outcome.status, JSON.stringify(act)).toBe(m.expect(act, at, made))
    if (outcome.events.length > 0) effective.push({ act, at, id: outcome.id })
    expect(say(act, at, { id: outcome.id }).events, 'the same message at once again does nothing').toEqual([])
    w.settle()
  }
  for (const by of profiles) run({ type: 'user.replace', by })
  if (friends) for (const by of profiles) for (const other of profiles) if (by !== other) run({ type: 'friend.request', by, other })
  for (const s of steps) {
    w.until(new Date(w.now() + s.later * 1000).toISOString())
    const act = actOf(s, m)
    if (act) run(act)
  }
  return { w, m, say, effective }
}
const program = fc.array(step, { maxLength: 60, size: 'max' })

test('whatever people do: every answer is as the model says, and what is stored adds up', () => {
  fc.assert(
    fc.property(program, start, (steps, begin) => {
      const { w, m } = play(steps, begin)
      for (const a of people) {
        expect(w.at(counts.at({ userId: a }))).toEqual(m.counts(a))
        for (const b of people) {
          const row = w.at(circle.at({ userId: a, other: b }))
          if (a !== b) expect(row?.relation ?? 'none').toBe(m.relation(a, b))
          expect((row?.mutedAt ?? null) !== null).toBe(m.mutes(a, b))
        }
        const days = m.posts.filter(p => p.author === a && !p.deleted).map(p => p.at.slice(0, 10))
        expect(new Set(days).size, 'one living post a day').toBe(days.length)
        expect(w.at(slot.at({ authorId: a })).days[0]).toBe(days.at(-1))
        const pinned = m.pinned(a).map(p => p.id)
        expect(w.at(pins.at({ userId: a })).pins.map(p => p.postId)).toEqual(pinned.toReversed())
      }
      for (const p of m.posts) {
        const stored = w.at(record.at(postKey(p.id)))
        if (p.deleted) expect(stored.status).toBe('deleted')
        else
          expect(stored).toMatchObject({
            status: 'live',
            title: p.title,
            likeCount: p.likes.size,
            commentCount: m.livingComments(p).length,
          })
        for (const by of people) expect(w.at(like.at({ postId: p.id, by }))?.liked ?? false).toBe(!p.deleted && p.likes.has(by))
      }
      for (const c of m.comments) {
        const stored = w.at(comment.at({ postId: c.post.id, commentId: c.id }))
        expect(stored !== undefined && !stored.deleted).toBe(!c.deleted && !c.post.deleted)
        if (stored && !stored.deleted) expect(stored.content).toBe(c.content)
      }
    }),
    { numRuns: 120 },
  )
})

test('a redriven repeat of anything that had its effect changes nothing, in any order', () => {
  fc.assert(
    fc.property(program, start, fc.infiniteStream(fc.nat()), (steps, begin, dice) => {
      const { w, say, effective } = play(steps, begin)
      const before = w.stored()
      const shuffled = effective.map(e => ({ e, k: dice.next().value ?? 0 })).sort((x, y) => x.k - y.k)
      for (const { e } of shuffled) expect(say(e.act, e.at, { id: e.id, redriven: true }).events).toEqual([])
      w.settle()
      expect(w.stored()).toEqual(before)
    }),
    { numRuns: 80 },
  )
})

test('everybody reads what the model says they may see, in pages', async () => {
  await fc.assert(
    fc.asyncProperty(program, start, fc.integer({ min: 1, max: 4 }), async (steps, begin, limit) => {
      const { w, m } = play(steps, begin)
      const read = await w.read()
      type Page = Refusal | { readonly items: readonly { readonly id: string }[]; readonly next: string | null }
      /** The ids on all pages of a list, or why there is none; no page but the last is short, and none after the first is empty. */
      const all = async (page: (after: string | undefined) => Promise<Page>) => {
        const ids: string[] = []
        for (let after: string | undefined; ; ) {
          const answer = await page(after)
          if (isRefusal(answer)) return answer.refused
          if (after !== undefined) expect(answer.items.length).toBeGreaterThan(0)
          ids.push(...answer.items.map(i => i.id))
          if (answer.next === null) return ids
          expect(answer.items).toHaveLength(limit)
          after = answer.next
        }
      }
      const today = new Date(w.now()).toISOString().slice(0, 10)
      const newest = (list: typeof m.posts) => [...list].sort((x, y) => (`${x.at}${x.id}` < `${y.at}${y.id}` ? 1 : -1)).map(p => p.id)

      for (const by of people) {
        const request = <D>(data: D, after?: string) => ({ by, data, now: w.now(), limit, after })
        const friends = m.friendsOf(by, people)
        const current = m.posts.filter(p => !p.deleted && p.at.slice(0, 10) === today)
        expect(await all(after => timelineViews['timeline.get'](request({}, after), read))).toEqual(
          newest(current.filter(p => friends.includes(p.author) && !m.mutes(by, p.author))),
        )
        const ids = m.posts.map(p => p.id)
        expect((await postsSeenBy(read, by, ids)).map(seen => seen?.body.id)).toEqual(
          m.posts.map(p => (!p.deleted && m.sees(by, p.author) ? p.id : undefined)),
        )
        for (const p of m.posts) {
          const visible = !p.deleted && m.sees(by, p.author)
          const seen = await postViews['post.get'](request({ postId: p.id }), read)
          if (visible)
            expect(seen).toMatchObject({
              body: { id: p.id, likeCount: p.likes.size, liked: p.likes.has(by), pinned: m.pinned(by).includes(p) },
            })
          else expect(seen).toMatchObject({ refused: 'not-found' })
          const likes = await all(after => postViews['like.list'](request({ postId: p.id }, after), read))
          const comments = await all(after => postViews['comment.list'](request({ postId: p.id }, after), read))
          if (!visible) expect([likes, comments]).toEqual(['not-found', 'not-found'])
          else {
            expect(likes).toEqual(people.filter(x => p.likes.has(x) && !m.hidden(by, x)))
            expect(comments).toEqual(
              m
                .livingComments(p)
                .filter(c => !m.hidden(by, c.by))
                .map(c => c.id),
            )
          }
        }
        for (const direction of ['incoming', 'outgoing'] as const) {
          const requests = async (after: string | undefined) => {
            const page = granted(await userViews['friend.requests'](request({ direction }, after), read))
            return { items: page.items.map(r => r.user), next: page.next }
          }
          expect(new Set(await all(requests))).toEqual(new Set(people.filter(x => m.relation(by, x) === direction)))
        }
        const blocked = await all(after => userViews['block.list'](request({}, after), read))
        expect(new Set(blocked)).toEqual(new Set(people.filter(x => m.relation(by, x) === 'blocked')))

        const muted = await all(after => userViews['mute.list'](request({}, after), read))
        expect(new Set(muted)).toEqual(new Set(people.filter(x => m.mutes(by, x) && !m.hidden(by, x))))

        const me = await userViews['user.me'](request({}), read)
        if (m.knows(by, by)) expect(me).toMatchObject({ body: { id: by, relation: 'self', friendCount: friends.length } })
        else expect(me).toMatchObject({ refused: 'profile-required' })

        for (const other of people) {
          const profile = await userViews['user.get'](request({ userId: other }), read)
          const stands = by === other ? 'self' : m.relation(by, other)
          if (!m.knows(by, other)) expect(profile).toMatchObject({ refused: 'not-found' })
          else expect(profile).toMatchObject({ body: { relation: stands, friendCount: m.counts(other).friends } })

          const refusal = m.hidden(by, other) ? 'not-found' : by === other || friends.includes(other) ? undefined : 'not-a-friend'
          const archive = await all(after => postViews['post.list'](request({ userId: other }, after), read))
          expect(archive).toEqual(refusal ?? newest(m.posts.filter(p => p.author === other && !p.deleted)))
          const shown = m.pinned(other).filter(p => m.sees(by, p.author))
          const pins = await all(after => postViews['pin.list'](request({ userId: other }, after), read))
          expect(Array.isArray(pins) ? new Set(pins) : pins).toEqual(refusal ?? new Set(shown.map(p => p.id)))
          const theirs = await postViews['post.today'](request({ userId: other }), read)
          const [latest] = newest(current.filter(p => p.author === other))
          if (refusal !== undefined || latest === undefined) expect(theirs).toMatchObject({ refused: refusal ?? 'not-found' })
          else expect(theirs).toMatchObject({ body: { id: latest } })
          const list = await all(after => userViews['friend.list'](request({ userId: other }, after), read))
          expect(Array.isArray(list) ? new Set(list) : list).toEqual(
            refusal ?? new Set(m.friendsOf(other, people).filter(f => !m.hidden(by, f))),
          )
        }
      }
    }),
    { numRuns: 40 },
  )
})
