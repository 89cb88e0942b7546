import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Client, type MeshClient, meet } from '../contracts/client/client.ts'
import type { Route } from '../contracts/derive/routes.ts'
import { mesh } from '../contracts/mesh.ts'
import { startMesh } from '../deploy/embedded/mesh.ts'
import { befriend, join } from './people.ts'
import { sampleFor } from './sample.ts'

/**
 * What lists show: every list of the contract, asked by everybody about everybody, against a mesh that runs. Whoever and whatever stands in an item, the caller
 * must be able to ask for by itself; a list that lets somebody see more leaks.
 */

/** They all knew each other once; since then the first stands to each of the others as their name says. */
const NAMES = ['owner', 'friend', 'muted', 'former', 'blocked', 'blocker'] as const
type Name = (typeof NAMES)[number]
type Village = { readonly people: Readonly<Record<Name, Client>>; readonly posts: Readonly<Record<Name, string>> }

/** Lists that show people who are hidden otherwise, and why. */
const SHOWS_HIDDEN: Readonly<Record<string, string>> = { 'block.list': 'whom one cannot see one could not unblock' }
/** What is asked, where the smallest question would find nothing. */
const QUESTIONS: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>> = {
  'timeline.get': [{}, { include: 'self' }],
  'notification.list': [{}, { unread: 'true' }, { grouped: 'true' }],
  'friend.requests': [{ direction: 'incoming' }, { direction: 'outgoing' }],
  'user.find': [{ name: 'Tester' }],
  'report.list': [{ status: 'open' }],
}
/** Lists that are nobody's here: they are for those who keep order. */
const NOT_FOR_US = new Set(['report.list'])

let running: Awaited<ReturnType<typeof startMesh>>
let village: Village

/** Says a message that this contract may have. */
const sayIfKnown = async (who: Client, type: string, data: Readonly<Record<string, unknown>>) => {
  if (mesh.commands.has(type)) expect((await who.exchange(type, data)).status, type).toBeLessThan(300)
}
/** What makes lists show something, done while all are friends: what breaks between people later must be gone from them. A new list is filled here. */
const fill = async ({ people, posts }: Village) => {
  const all = Object.values(people)
  await Promise.all(
    all.map(async who => {
      for (const postId of [posts.owner, posts.friend, posts.blocked]) {
        await who.send('post.like', { postId })
        await who.send('comment.add', { postId, content: 'Well said' })
        await sayIfKnown(who, 'post.pin', { postId })
      }
      const route = mesh.routes.find(r => r.type === 'push.subscribe')
      if (route) await who.exchange(route.type, { ...sampleFor(route, {}), endpoint: `https://fcm.googleapis.com/fcm/send/${who.userId}` })
      await sayIfKnown(who, 'job.add', { userId: who.userId, title: 'Smith', company: 'Forge' })
      await sayIfKnown(who, 'education.add', { userId: who.userId, institution: 'School', degree: 'Some' })
    }),
  )
}
const settle = async (mesh: MeshClient): Promise<Village> => {
  const joined = await Promise.all(NAMES.map(async name => [name, await join(mesh, name)] as const))
  const people = Object.fromEntries(joined) as Record<Name, Client>
  for (const [i, [, one]] of joined.entries()) await Promise.all(joined.slice(i + 1).map(([, other]) => befriend(one, other)))
  const published = joined.map(
    async ([name, who]) => [name, (await who.send('post.publish', { title: 'Title', content: 'Content' })).id] as const,
  )
  const posts = Object.fromEntries(await Promise.all(published)) as Record<Name, string>
  await fill({ people, posts })
  const { owner, friend, muted, former, blocked, blocker } = people
  await owner.send('friend.remove', { userId: former.userId })
  await former.send('friend.request', { userId: owner.userId })
  await owner.send('user.block', { userId: blocked.userId })
  await blocker.send('user.block', { userId: owner.userId })
  // Friends of one person need not see each other.
  await friend.send('user.block', { userId: former.userId })
  await sayIfKnown(owner, 'user.mute', { userId: muted.userId })
  return { people, posts }
}

beforeAll(async () => {
  running = await startMesh({ port: 0, settings: { LOG_LEVEL: 'silent' }, logTo: { write: () => undefined } })
  village = await settle(await meet(running.url))
}, 180_000)
afterAll(() => running?.stop(), 30_000)

const isObject = (x: unknown): x is Readonly<Record<string, unknown>> => typeof x === 'object' && x !== null && !Array.isArray(x)
type Found = { readonly people: Set<string>; readonly posts: Set<string> }
/** Everybody, and every post, that stands anywhere in an item. */
const found = (item: unknown, into: Found = { people: new Set(), posts: new Set() }): Found => {
  if (Array.isArray(item)) for (const one of item) found(one, into)
  if (!isObject(item)) return into
  const { id, postId } = item
  if (typeof id === 'string' && 'firstName' in item) into.people.add(id)
  if (typeof id === 'string' && 'title' in item && 'author' in item) into.posts.add(id)
  if (typeof postId === 'string') into.posts.add(postId)
  for (const part of Object.values(item)) found(part, into)
  return into
}

/** Each question that a list takes: about every person and post where its path names one. */
const questionsOf = (route: Route): Readonly<Record<string, unknown>>[] => {
  const { people, posts } = village
  const places = route.path.includes('{postId}')
    ? Object.values(posts).map(postId => ({ postId, userId: '' }))
    : Object.values(people).map(({ userId }) => ({ postId: '', userId }))
  const asked = /\{\w+\}/.test(route.path) ? places.map(place => sampleFor(route, place)) : [sampleFor(route, {})]
  return asked.flatMap(data => (QUESTIONS[route.type] ?? [{}]).map(more => ({ ...data, ...more, limit: 100 })))
}
const itemsOf = async (caller: Client, type: string, question: Readonly<Record<string, unknown>>): Promise<readonly unknown[]> => {
  const { status, text } = await caller.exchange(type, question)
  if (status >= 400) return []
  const body: unknown = JSON.parse(text)
  return isObject(body) && Array.isArray(body.items) ? body.items : []
}
/** Whether a caller may ask for it by itself; asked once. */
const answers = new Map<string, Promise<boolean>>()
const sees = (caller: Client, type: 'user.get' | 'post.get', data: Readonly<Record<string, string>>): Promise<boolean> => {
  const key = `${caller.userId} ${type} ${Object.values(data)}`
  const known = answers.get(key) ?? caller.exchange(type, data).then(({ status }) => status === 200)
  answers.set(key, known)
  return known
}

const lists = mesh.routes.filter(r => r.spec.kind === 'query' && r.spec.list)
test.each(lists.map(r => [r.type, r] as const))(
  '%s shows nobody what they may not see',
  async (type, route) => {
    const leaks: string[] = []
    let shown = 0
    for (const [name, caller] of Object.entries(village.people)) {
      for (const question of questionsOf(route)) {
        const items = await itemsOf(caller, type, question)
        shown += items.length
        const { people, posts } = found(items)
        if (SHOWS_HIDDEN[type] === undefined)
          for (const userId of people)
            if (!(await sees(caller, 'user.get', { userId }))) leaks.push(`${name} is shown the person ${nameOf(userId)}`)
        for (const postId of posts)
          if (!(await sees(caller, 'post.get', { postId }))) leaks.push(`${name} is shown the post of ${authorOf(postId)}`)
      }
    }
    expect(leaks).toEqual([])
    if (!NOT_FOR_US.has(type))
      expect(shown, `${type} shows nobody anything: say in \`fill\` what makes it show something`).toBeGreaterThan(0)
  },
  60_000,
)

const nameOf = (userId: string) => Object.entries(village.people).find(([, who]) => who.userId === userId)?.[0] ?? userId
const authorOf = (postId: string) => Object.entries(village.posts).find(([, id]) => id === postId)?.[0] ?? postId

test.runIf(mesh.commands.has('user.mute'))('the timeline shows nothing of who is muted', async () => {
  const { people, posts } = village
  expect(found(await itemsOf(people.owner, 'timeline.get', { limit: 100 })).posts).not.toContain(posts.muted)
  expect(found(await itemsOf(people.owner, 'timeline.get', { limit: 100 })).posts).toContain(posts.friend)
})
