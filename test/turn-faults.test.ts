import { pino } from 'pino'
import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { ActorCode } from '../actors/kernel/authoring/implement.ts'
import { metrics } from '../actors/kernel/process/metrics.ts'
import { operationPlace } from '../actors/kernel/turn/replies.ts'
import { startWorker } from '../actors/kernel/worker/worker.ts'
import { catalog } from '../actors/testing/catalog.ts'
import { mesh } from '../contracts/mesh.ts'
import { post, postKey } from '../contracts/posts.ts'
import { CALM, HOSTS, type World, world } from './mesh/world.ts'

const ANN = 'aaaaaaaa-0000-4000-8000-000000000000'
const BOB = 'bbbbbbbb-0000-4000-8000-000000000000'
const CEM = 'cccccccc-0000-4000-8000-000000000000'
const Named = z.looseObject({ id: z.string() })
const Committed = z.looseObject({ lastBatch: z.array(Named) })
const status = (w: World, id: string) => w.replies.get(id)?.map(r => r.status)
/** Ann, who has posted, Bob and Cem, friends of hers. @returns the post's id */
const friends = async (w: World) => {
  for (const by of [ANN, BOB, CEM]) await w.send('user.replace', by, { firstName: 'F', lastName: 'L' })
  await w.clock.advance(1_000)
  for (const by of [BOB, CEM]) {
    await w.send('friend.request', ANN, { userId: by })
    await w.send('friend.request', by, { userId: ANN })
  }
  const id = await w.send('post.publish', ANN, { title: 'T', content: 'C' })
  await w.clock.advance(1_000)
  return (w.replies.get(id)?.[0]?.body as { id: string } | undefined)?.id ?? 'not published'
}
/** Bob comments, while nothing can be done about it, so that his comments come together afterwards. */
const commentTogether = async (w: World, postId: string, ids: readonly string[], how: Parameters<World['send']>[3] = {}) => {
  w.setStoreDown(true)
  for (const id of ids) await w.send('comment.add', BOB, { postId, content: id }, { ...how, id })
  await w.clock.advance(500)
  w.setStoreDown(false)
}
/** Bob’s comments are committed together, and the answer of the commit is lost: they come again. */
const commentUnanswered = async (w: World, postId: string, ids: readonly string[], how: Parameters<World['send']>[3] = {}) => {
  const { place } = post.at(postKey(postId))
  const committed = async () => Committed.parse((await w.store.get([place]))[0]).lastBatch.map(d => d.id)
  const last = ids.at(-1) ?? ''
  await commentTogether(w, postId, ids, how)
  w.set({ lostAnswer: 1 })
  for (let ms = 0; ms < 60_000 && !(await committed()).includes(last); ms += 10) await w.clock.advance(10)
  expect(await committed()).toEqual(ids)
  w.set({ lostAnswer: 0 })
}
/** An actor that answers the comment `speechless` once, and never again. */
const speechless = () => {
  let told = 0
  return (code: ActorCode): ActorCode => {
    const answer = code.rules.answer['comment.add']
    if (!answer) return code
    const once: typeof answer = (state, message, loaded) => {
      if (Named.parse(message).id === 'speechless' && told++ > 0) throw new TypeError('it has nothing more to say')
      return answer(state, message, loaded)
    }
    return { ...code, rules: { ...code.rules, answer: { ...code.rules.answer, 'comment.add': once } } }
  }
}
/** What each was told by the time that the first of them is. */
const whenFirstIsTold = async (w: World, ids: readonly [string, ...string[]]) => {
  for (let ms = 0; ms < 60_000 && !w.replies.has(ids[0]); ms += 10) await w.clock.advance(10)
  return ids.map(id => status(w, id))
}
const metric = async (w: Pick<World, 'registry'>, name: string) =>
  (await w.registry.getSingleMetric(`dailygrind_${name}`)?.get())?.values.map(({ labels, value }) => [
    Object.values(labels).join(' '),
    value,
  ])

describe.each(HOSTS)('in a %s', host => {
  test('whose clock is behind, a change is not stamped with a time before its message was sent', async () => {
    const w = await world(1, CALM, catalog, host)
    const postId = await friends(w)
    w.setSkew(-60_000)
    const heard = w.clock.now()
    const id = await w.send('post.like', BOB, { postId })
    await w.clock.advance(1_000)
    expect(status(w, id)).toEqual([200])
    const { changedAt } = z.looseObject({ changedAt: z.string() }).parse((await w.store.get([post.at(postKey(postId)).place]))[0])
    expect(Date.parse(changedAt)).toBeGreaterThanOrEqual(heard)
  })

  test('what is stored in a form that the contract does not know is the fault of no engine: who asks for it dies, others go on', async () => {
    const w = await world(1, CALM, catalog, host)
    const postId = await friends(w)
    const { place } = post.at(postKey(postId))
    const [item] = await w.store.get([place])
    if (!item) throw new Error('there is no post')
    await w.store.commit([{ put: { ...item, likeCount: 'many' }, table: place.table }])
    const like = await w.send('post.like', BOB, { postId })
    for (const by of [BOB, CEM]) {
      await w.clock.advance(1_000)
      const other = await w.send('post.publish', by, { title: 'T', content: 'C' })
      await w.clock.advance(100)
      expect(status(w, other)).toEqual([201])
    }
    await w.clock.advance(120_000)
    expect(status(w, like)).toEqual([500])
    expect(await w.left()).toEqual({ queued: 0, dead: 1 })
  })

  test('an event that its topic refuses is the fault of no engine: its message dies, those around it are done', async () => {
    const w = await world(1, CALM, catalog, host)
    const postId = await friends(w)
    w.refuseEvents('unspeakable')
    await commentTogether(w, postId, ['before', 'unspeakable', 'behind'])
    await w.clock.advance(2_000)
    expect(await metric(w, 'polling_paused')).not.toContainEqual(['posts.fifo', 1])
    const other = await w.send('post.publish', CEM, { title: 'T', content: 'C' })
    await w.clock.advance(100)
    expect(status(w, other)).toEqual([201])
    await w.clock.advance(300_000)
    const after = await w.send('comment.add', BOB, { postId, content: 'after' })
    await w.clock.advance(1_000)
    expect(['before', 'behind', after].map(id => status(w, id)?.at(-1))).toEqual([201, 201, 201])
    expect(await w.left()).toEqual({ queued: 0, dead: 1 })
    const told = w.published.filter(e => e.type === 'comment.added').map(e => e.id.split('.')[0])
    expect(new Set(told)).toEqual(new Set(['before', 'behind', after]))
  })

  test('what a rule makes that no store would take is the rule’s fault: its message dies, those around it are done', async () => {
    const Liked = z.looseObject({ likeCount: z.number() })
    // The second like of a post makes a count that is no exact number.
    const overflowing = (code: ActorCode): ActorCode => {
      const apply = code.rules.apply['post.liked']
      if (!apply) return code
      const liked: typeof apply = (state, event) => {
        const applied = apply(state, event)
        const post = Liked.parse(applied.state)
        return post.likeCount === 2 ? { ...applied, state: { ...post, likeCount: 2 ** 60 } } : applied
      }
      return { ...code, rules: { ...code.rules, apply: { ...code.rules.apply, 'post.liked': liked } } }
    }
    const w = await world(1, CALM, catalog.map(overflowing), host)
    const postId = await friends(w)
    const first = await w.send('post.like', CEM, { postId })
    const second = await w.send('post.like', BOB, { postId })
    const after = await w.send('comment.add', CEM, { postId, content: 'after' })
    await w.clock.advance(1_000)
    const other = await w.send('post.publish', BOB, { title: 'T', content: 'C' })
    await w.clock.advance(100)
    expect(status(w, other)).toEqual([201])
    await w.clock.advance(120_000)
    expect(w.replies.get(first)?.[0]?.body).toEqual({ liked: true, likeCount: 1 })
    expect(status(w, second)).toEqual([500])
    expect(status(w, after)).toEqual([201])
    expect(await w.left()).toEqual({ queued: 0, dead: 1 })
  })

  test('a message whose rows cannot be named fails alone: those before it are done and told', async () => {
    const choking = (code: ActorCode): ActorCode => {
      const command = code.declaration.commands['comment.add']
      if (!command) return code
      const loads: typeof command.loads = message => {
        if (Named.parse(message).id === 'nameless') throw new TypeError('no row comes of it')
        return command.loads?.(message) ?? {}
      }
      return {
        ...code,
        declaration: { ...code.declaration, commands: { ...code.declaration.commands, 'comment.add': { ...command, loads } } },
      }
    }
    const w = await world(8, CALM, catalog.map(choking), host)
    const ids = ['before', 'nameless', 'after'] as const
    await commentTogether(w, await friends(w), ids)
    expect(await whenFirstIsTold(w, ids)).toEqual([[201], undefined, undefined])
    await w.clock.advance(300_000)
    expect(ids.map(id => status(w, id))).toEqual([[201], [500], [201]])
    expect(await w.left()).toEqual({ queued: 0, dead: 1 })
  })

  test('a repeat that cannot be answered fails alone: those before it are told', async () => {
    const w = await world(9, CALM, catalog.map(speechless()), host)
    const ids = ['before', 'speechless'] as const
    await commentUnanswered(w, await friends(w), ids)
    expect(await whenFirstIsTold(w, ids)).toEqual([[201], undefined])
    await w.clock.advance(300_000)
    expect(ids.map(id => status(w, id))).toEqual([[201], [500]])
    expect(await w.left()).toEqual({ queued: 0, dead: 1 })
  })

  test('what is done stays done for who asks, although its message dies of its repeat', async () => {
    const w = await world(10, CALM, catalog.map(speechless()), host)
    const reply = { to: 'edge', until: Number.MAX_SAFE_INTEGER, durable: true }
    await commentUnanswered(w, await friends(w), ['speechless'], { reply })
    await w.clock.advance(300_000)
    expect(await w.left()).toEqual({ queued: 0, dead: 1 })
    expect(await w.store.get([operationPlace('speechless')])).toMatchObject([{ reply: { status: 201 } }])
    expect(status(w, 'speechless')).toEqual([201])
  })

  test('a command that reading chokes on goes to the dead letters at once', async () => {
    const choking = (code: ActorCode): ActorCode => {
      const command = code.declaration.commands['post.like']
      if (!command) return code
      const key = () => {
        throw new RangeError('no key comes of it')
      }
      return { ...code, declaration: { ...code.declaration, commands: { ...code.declaration.commands, 'post.like': { ...command, key } } } }
    }
    const w = await world(2, CALM, catalog.map(choking), host)
    const postId = await friends(w)
    await w.send('post.like', BOB, { postId })
    await w.clock.advance(1_000)
    expect(await w.left()).toEqual({ queued: 0, dead: 1 })
    const next = await w.send('comment.add', BOB, { postId, content: 'C' })
    await w.clock.advance(1_000)
    expect(status(w, next)).toEqual([201])
  })

  test('who waits for a command that cannot be understood is told that it failed, and so is who asks later', async () => {
    const w = await world(3, CALM, catalog, host)
    const postId = await friends(w)
    const id = await w.send('comment.add', BOB, { postId, content: 'C' }, { data: { postId, content: 7 } })
    await w.clock.advance(1_000)
    expect(w.replies.get(id)).toMatchObject([{ status: 500, problem: { code: 'internal-error' } }])
    expect(await w.store.get([operationPlace(id)])).toMatchObject([{ reply: { status: 500 } }])
    expect(await w.left()).toEqual({ queued: 0, dead: 1 })
  })

  test('while the store is away nothing goes to the dead letters, and then one of each', async () => {
    const w = await world(11, CALM, catalog, host)
    const postId = await friends(w)
    w.setStoreDown(true)
    const id = await w.send('comment.add', BOB, { postId, content: 'C' }, { data: { postId, content: 7 } })
    // The queue forgets what it was sent after five minutes.
    await w.clock.advance(900_000)
    expect(await w.left()).toEqual({ queued: 1, dead: 0 })
    w.setStoreDown(false)
    await w.clock.advance(120_000)
    expect(await w.left()).toEqual({ queued: 0, dead: 1 })
    expect(status(w, id)).toEqual([500])
  })

  test('what overtook a message in its batch changes nothing of what a repeat of it is told', async () => {
    const w = await world(4, CALM, catalog, host)
    for (const by of [ANN, BOB]) await w.send('user.replace', by, { firstName: 'F', lastName: 'L' })
    await w.clock.advance(1_000)
    // Committed and told, and not published: a function is handed both of them again and again.
    w.set({ publish: 1 })
    const request = await w.send('friend.request', ANN, { userId: BOB })
    const withdrawal = await w.send('friend.withdraw', ANN, { userId: BOB })
    const again = await w.send('friend.request', ANN, { userId: BOB })
    await w.clock.advance(40_000)
    w.set({ publish: 0 })
    await w.clock.advance(60_000)
    expect([request, withdrawal, again].map(id => new Set(status(w, id)))).toEqual([new Set([201]), new Set([204]), new Set([201])])
  })
})

describe('what a worker shows of itself', () => {
  test('messages held fall to nothing again, and events that went out are counted', async () => {
    const w = await world(5)
    await friends(w)
    await w.calm(60_000)
    expect((await metric(w, 'messages_held'))?.filter(([, held]) => held !== 0)).toEqual([])
    const counted = (await metric(w, 'events_published_total')) ?? []
    expect(counted.reduce((sum, [, n]) => sum + Number(n), 0)).toBe(w.published.length)
  })

  test('the age of what it holds rises while events cannot be published, and falls when they are out', async () => {
    const w = await world(7)
    const postId = await friends(w)
    const age = async () => Number((await metric(w, 'messages_held_oldest_seconds'))?.find(([queue]) => queue === 'posts.fifo')?.[1])
    w.set({ publish: 1 })
    await w.send('post.like', BOB, { postId })
    await w.clock.advance(60_000)
    expect(await age()).toBeGreaterThan(50)
    w.set({ publish: 0 })
    await w.clock.advance(15_000)
    expect(await age()).toBe(0)
  })
})

test('a dead letter is counted, although nobody can be told of it', async () => {
  const w = await world(12, CALM, [])
  const code = catalog.find(c => c.declaration.name === 'users')
  if (!code) throw new Error('there is no actor users')
  const id = await w.send('user.replace', ANN, { firstName: 'F', lastName: 'L' }, { data: { firstName: 7 } })
  let away = false
  const unlessAway = async () => {
    if (away) throw new Error('it does not answer')
    return true
  }
  const ports = {
    ...w.ports,
    // Once the dead letter is sent, nothing else is there any more.
    mailbox: {
      ...w.ports.mailbox,
      send: (...args: Parameters<typeof w.mailbox.send>) => w.mailbox.send(...args).finally(() => (away = true)),
    },
    backplane: { ...w.ports.backplane, reply: unlessAway },
    store: { ...w.store, commit: (writes: Parameters<typeof w.store.commit>[0]) => unlessAway().then(() => w.store.commit(writes)) },
  }
  const registry = new Registry()
  const config = { CONCURRENCY: 8, POLLERS: 2, FAILPOINTS: '' }
  startWorker({ mesh, code, ports, config, log: pino({ level: 'silent' }), metrics: metrics(mesh, registry), random: w.random })
  await w.clock.advance(60_000)
  expect(await w.left()).toEqual({ queued: 0, dead: 1 })
  expect(await metric({ registry }, 'messages_dead_total')).toEqual([['users.fifo unreadable', 1]])
  expect(await w.store.get([operationPlace(id)])).toMatchObject([{ reply: { status: 500 } }])
})

test('while neither events can be published nor replies be told, a message is tried by one delivery at a time', async () => {
  const w = await world(6, CALM, [])
  const code = catalog.find(c => c.declaration.name === 'users')
  if (!code) throw new Error('there is no actor users')
  const tries: number[] = []
  const gone = async () => {
    throw new Error('it does not answer')
  }
  const ports = {
    ...w.ports,
    backplane: { ...w.ports.backplane, reply: gone },
    store: {
      ...w.store,
      commit: (writes: Parameters<typeof w.store.commit>[0]) =>
        writes.some(write => 'put' in write && write.table === 'kernel') ? gone() : w.store.commit(writes),
    },
    events: {
      publish: async () => {
        tries.push(w.clock.now())
        return gone()
      },
    },
  }
  const config = { CONCURRENCY: 8, POLLERS: 2, FAILPOINTS: '' }
  startWorker({ mesh, code, ports, config, log: pino({ level: 'silent' }), metrics: metrics(mesh, new Registry()), random: w.random })
  await w.send('user.replace', ANN, { firstName: 'F', lastName: 'L' })
  await w.clock.advance(120_000)
  // One that tries again every five seconds, and not one more with each time that the message comes back.
  expect(tries.filter(at => at > w.clock.now() - 20_000).length).toBeLessThanOrEqual(5)
})
