import { describe, expect, test } from 'vitest'
import type { ActorCode } from '../actors/kernel/authoring/implement.ts'
import type { Delivery } from '../actors/kernel/ports/mailbox/port.ts'
import { claimItem, claimPlace, decidedPlace, operationPlace } from '../actors/kernel/turn/replies.ts'
import { redrive } from '../actors/kernel/worker/dead-letters.ts'
import { catalog } from '../actors/testing/catalog.ts'
import { comment, like, post, postKey } from '../contracts/posts.ts'
import { CALM, HOSTS, type World, world } from './mesh/world.ts'

const ANN = 'aaaaaaaa-0000-4000-8000-000000000000'
const BOB = 'bbbbbbbb-0000-4000-8000-000000000000'
/** Ann has posted; Bob is her friend. @returns the post's id */
const friends = async (w: World) => {
  for (const by of [ANN, BOB]) await w.send('user.replace', by, { firstName: 'F', lastName: 'L' })
  await w.clock.advance(1_000)
  await w.send('friend.request', ANN, { userId: BOB })
  await w.send('friend.request', BOB, { userId: ANN })
  const id = await w.send('post.publish', ANN, { title: 'T', content: 'C' })
  await w.clock.advance(1_000)
  return (w.replies.get(id)?.[0]?.body as { id: string } | undefined)?.id ?? 'not published'
}
const status = (w: World, id: string) => w.replies.get(id)?.map(r => r.status)

/** The actors, with a rule that throws at comments that say so until it is mended. */
const faulty = () => {
  let mended = false
  const mend = () => {
    mended = true
  }
  const broken = (code: ActorCode): ActorCode => {
    const decide = code.rules.decide['comment.add']
    if (!decide) return code
    const thrower: typeof decide = (state, message, loaded) => {
      if (!mended && (message as { data: { content: string } }).data.content === 'poison')
        throw new TypeError('cannot read properties of poison')
      return decide(state, message, loaded)
    }
    return { ...code, rules: { ...code.rules, decide: { ...code.rules.decide, 'comment.add': thrower } } }
  }
  return { codes: catalog.map(broken), mend }
}
const deadLetters = async (w: World, queue: string): Promise<Delivery[]> => {
  const found: Delivery[] = []
  const consumer = w.mailbox.consume(queue, { pollers: 1, visibility: 1 }, async deliveries => void found.push(...deliveries))
  await w.clock.advance(500)
  await consumer.stop()
  await w.clock.advance(2_000)
  return found
}

describe.each(HOSTS)('a rule that throws in a %s', host => {
  test('makes a dead letter of its message alone, with the reason, and its neighbours go on', async () => {
    const { codes } = faulty()
    const w = await world(1, CALM, codes, host)
    const postId = await friends(w)
    const before = await w.send('comment.add', BOB, { postId, content: 'before' })
    const poison = await w.send('comment.add', BOB, { postId, content: 'poison' })
    const after = await w.send('comment.add', BOB, { postId, content: 'after' })
    await w.clock.advance(120_000)
    expect(status(w, before)).toEqual([201])
    expect(status(w, after)).toEqual([201])
    expect(w.replies.get(poison)).toMatchObject([{ status: 500, problem: { code: 'internal-error' } }])
    expect(await w.store.get([operationPlace(poison)])).toMatchObject([{ reply: { status: 500 } }])
    const dead = await deadLetters(w, 'posts-dead.fifo')
    expect(dead.map(d => d.id)).toEqual([poison])
    expect(dead[0]?.attributes.reason).toContain('cannot read properties of poison')
    expect(Number(dead[0]?.attributes.receives)).toBe(5)
    expect(await w.read.get(post.at(postKey(postId)))).toMatchObject({ commentCount: 2 })
  })

  test('handles its message once when it is redriven after a fix', async () => {
    const { codes, mend } = faulty()
    const w = await world(2, CALM, codes, host)
    const postId = await friends(w)
    const poison = await w.send('comment.add', BOB, { postId, content: 'poison' })
    await w.clock.advance(120_000)
    mend()
    const redriven = redrive(w.mailbox, w.clock, 'posts.fifo')
    await w.clock.advance(60_000)
    expect((await redriven).map(r => r.id)).toEqual([poison])
    expect(await w.left()).toEqual({ queued: 0, dead: 0 })
    expect((await w.read.range(comment, { postId }, { limit: 10 })).items.map(i => i.value.content)).toEqual(['poison'])
    expect(await w.read.get(post.at(postKey(postId)))).toMatchObject({ commentCount: 1 })
  })
})

test.each(HOSTS)('the ledger of a %s adds up, although who received a redriven message first dies of it', async host => {
  const { codes, mend } = faulty()
  const w = await world(12, CALM, codes, host)
  const postId = await friends(w)
  const sum = async (name: string, labels: Readonly<Record<string, string>>) =>
    ((await w.registry.getSingleMetric(`dailygrind_messages_${name}_total`)?.get())?.values ?? [])
      .filter(one => Object.entries(labels).every(([label, is]) => one.labels[label] === is))
      .reduce((all, { value }) => all + value, 0)
  const ledger = async () => ({
    redriven: await sum('redriven', { queue: 'posts.fifo' }),
    done: await sum('handled', { type: 'comment.add', outcome: 'done' }),
    dead: await sum('dead', { queue: 'posts.fifo' }),
  })
  const redriveAmidDeaths = async () => {
    w.set({ crash: 1 })
    const sentBack = redrive(w.mailbox, w.clock, 'posts.fifo')
    await w.clock.advance(10_000)
    w.set({ crash: 0 })
    await w.clock.advance(300_000)
    expect(await sentBack).toHaveLength(1)
  }
  await w.send('comment.add', BOB, { postId, content: 'poison' })
  await w.clock.advance(120_000)
  expect(await ledger()).toEqual({ redriven: 0, done: 0, dead: 1 })
  await redriveAmidDeaths()
  expect(w.deaths()).toBeGreaterThan(0)
  expect(await ledger()).toEqual({ redriven: 1, done: 0, dead: 2 })
  mend()
  await redriveAmidDeaths()
  expect(await ledger()).toEqual({ redriven: 2, done: 1, dead: 2 })
  expect(await w.left()).toEqual({ queued: 0, dead: 0 })
})

test.each(HOSTS)('a toggle redriven to a %s does not undo a newer one', async host => {
  const w = await world(3, CALM, catalog, host)
  const postId = await friends(w)
  const at = new Date(w.clock.now()).toISOString()
  await w.clock.advance(1_000)
  await w.send('post.like', BOB, { postId })
  await w.clock.advance(1_000)
  await w.send('post.unlike', BOB, { postId })
  await w.clock.advance(1_000)
  await w.send('post.like', BOB, { postId }, { id: 'late', at, redriven: true })
  await w.clock.advance(1_000)
  expect(status(w, 'late')).toEqual([200])
  expect(await w.read.get(like.at({ postId, by: BOB }))).toMatchObject({ liked: false })
  expect(await w.read.get(post.at(postKey(postId)))).toMatchObject({ likeCount: 0 })
})

describe.each(HOSTS)('what a %s cannot read goes to the dead letters at once, and says why', host => {
  const good = {
    v: 1,
    id: 'x1',
    type: 'post.like',
    key: 'k',
    by: BOB,
    at: '2026-03-02T09:00:00.000Z',
    data: { postId: 'p' },
    trace: { request: 'r', cause: null, traceparent: null },
  }
  test.each([
    ['no JSON', '{"v":1,', 'not JSON'],
    ['an unknown version', JSON.stringify({ ...good, v: 2 }), 'v: '],
    ['an unknown type', JSON.stringify({ ...good, type: 'post.fly' }), 'post.fly'],
    ['a type that is a property of every object', JSON.stringify({ ...good, type: 'constructor' }), 'constructor'],
    ['data against the contract', JSON.stringify(good), 'postId: is no id of a post'],
    ['another key’s group', JSON.stringify({ ...good, data: { postId: `${ANN}.20260302.000001` } }), 'belongs to the key'],
  ])('%s', async (_, body, reason) => {
    const w = await world(4, CALM, catalog, host)
    await w.mailbox.send('posts.fifo', { id: 'bad', group: 'k', body })
    await w.clock.advance(1_000)
    const [dead, ...others] = await deadLetters(w, 'posts-dead.fifo')
    expect(others).toEqual([])
    expect(dead?.attributes.reason).toContain(reason)
    expect(dead?.attributes.receives).toBe('1')
    expect(dead?.body).toBe(body)
  })
})

describe.each(HOSTS)('engines that fail a %s make no dead letters', host => {
  test('the store does not answer for a minute', async () => {
    const w = await world(5, CALM, catalog, host)
    const postId = await friends(w)
    w.setStoreDown(true)
    const ids = await Promise.all(Array.from({ length: 20 }, (_, n) => w.send('comment.add', BOB, { postId, content: `${n}` })))
    await w.clock.advance(60_000)
    expect(ids.flatMap(id => status(w, id) ?? [])).toEqual([])
    w.setStoreDown(false)
    await w.clock.advance(60_000)
    expect(ids.map(id => status(w, id))).toEqual(ids.map(() => [201]))
    expect(await w.left()).toEqual({ queued: 0, dead: 0 })
  })

  test('events cannot be published for a minute: held, then delivered', async () => {
    const w = await world(6, CALM, catalog, host)
    const postId = await friends(w)
    w.set({ publish: 1 })
    const id = await w.send('post.like', BOB, { postId })
    await w.clock.advance(60_000)
    // The work is done and told, again with each redelivery; the message is held until its event is out.
    expect(new Set(status(w, id))).toEqual(new Set([200]))
    expect((await w.left()).queued).toBe(1)
    w.set({ publish: 0 })
    await w.clock.advance(20_000)
    // By each delivery that tried, under one id.
    expect(new Set(w.published.flatMap(e => (e.type === 'post.liked' ? [e.id] : []))).size).toBe(1)
    expect(await w.left()).toEqual({ queued: 0, dead: 0 })
  })
})

test.each(HOSTS)('the event of a message that vanished after its commit goes out with the key’s next turn in a %s', async host => {
  const w = await world(7, CALM, catalog, host)
  const postId = await friends(w)
  w.set({ publish: 1 })
  await w.send('post.like', BOB, { postId })
  await w.clock.advance(1_000)
  const place = post.at(postKey(postId)).place
  const [item] = await w.store.get([place])
  expect(item?.outbox).toMatchObject([{ events: [{ type: 'post.liked' }] }])

  // Another mesh over the same store, in whose mailbox that message never was: as if it had been dead-lettered after its commit.
  const next = await world(8, CALM, catalog, host)
  for (const items of Object.entries(w.store.dump())) await next.store.commit(items[1].map(put => ({ put, table: items[0] })))
  await next.send('comment.add', BOB, { postId, content: 'next' }, { id: 'next', at: new Date(next.clock.now()).toISOString() })
  await next.clock.advance(5_000)
  const ofPost = next.published.filter(e => e.key.startsWith(place.pk))
  expect(ofPost.map(e => e.type)).toEqual(['post.liked', 'comment.added'])
})

test.each(HOSTS)('a message whose claim has a reply is answered with it by a %s and does nothing', async host => {
  const w = await world(9, CALM, catalog, host)
  const postId = await friends(w)
  const claim = 'claim-of-bob'
  await w.store.commit([
    {
      put: claimItem(claim, { bodyHash: 'h', messageId: 'c1', at: new Date(w.clock.now()).toISOString() }, w.clock.now()),
      table: 'kernel',
    },
  ])
  await w.send('post.like', BOB, { postId }, { id: 'c1', claim })
  await w.clock.advance(1_000)
  await w.send('post.unlike', BOB, { postId })
  // More than five minutes later the queue has forgotten the id, and takes it for a new message.
  await w.clock.advance(600_000)
  await w.send('post.like', BOB, { postId }, { id: 'c1', claim })
  await w.clock.advance(1_000)
  expect(w.replies.get('c1')).toEqual([
    { status: 200, body: { liked: true, likeCount: 1 } },
    { status: 200, body: { liked: true, likeCount: 1 } },
  ])
  expect(await w.store.get([claimPlace(claim)])).toMatchObject([{ reply: { status: 200 } }])
  expect(await w.read.get(post.at(postKey(postId)))).toMatchObject({ likeCount: 0 })
})

describe.each(HOSTS)('asking a %s for what does not exist', host => {
  test('leaves nothing where things are, and no litter after a day', async () => {
    const w = await world(10, CALM, catalog, host)
    for (const by of [ANN, BOB]) await w.send('user.replace', by, { firstName: 'F', lastName: 'L' })
    await w.clock.advance(1_000)
    const before = w.store.dump().posts ?? []
    const postId = `${ANN}.20260302.000001`
    const early = await w.send('post.like', BOB, { postId })
    await w.clock.advance(1_000)
    expect(status(w, early)).toEqual([404])
    expect(w.store.dump().posts).toEqual(before)
    expect(await w.store.get([decidedPlace(early)])).toMatchObject([{ refusal: { refused: 'not-found' } }])
    const published = await w.send('post.publish', ANN, { title: 'T', content: 'C' })
    await w.clock.advance(1_000)
    expect(w.replies.get(published)).toMatchObject([{ status: 201, body: { id: postId } }])
    await w.clock.advance(25 * 3_600_000)
    expect(await w.store.get([decidedPlace(early)])).toEqual([undefined])
  })

  test('is refused alike when it is redelivered, although the thing exists by then', async () => {
    const w = await world(11, CALM, catalog, host)
    await friends(w)
    const next = `${ANN}.20260303.000002`
    // The refusal is committed, its answer is lost, and before the message comes back Ann publishes that very post.
    w.set({ lostAnswer: 1 })
    const early = await w.send('post.like', BOB, { postId: next })
    await w.clock.advance(10)
    w.set({ lostAnswer: 0 })
    const published = await w.send('post.publish', ANN, { title: 'T', content: 'C' }, { at: '2026-03-03T00:00:01.000Z' })
    await w.clock.advance(60_000)
    expect(w.replies.get(published)).toMatchObject([{ status: 201, body: { id: next } }])
    expect(status(w, early)).toEqual([404])
    expect(await w.read.get(post.at(postKey(next)))).toMatchObject({ likeCount: 0 })
  })
})
