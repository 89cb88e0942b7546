import type { MeshClient } from '../../contracts/client/client.ts'
import { collected } from '../people.ts'
import { until } from '../until.ts'
import type { Counts } from './counting.ts'
import { type Acknowledged, allOf, gather, type Person, publications, reactionCount, reactions } from './crowd.ts'
import { type Ears, listen } from './ears.ts'
import type { Stage } from './stage.ts'
import type { Teller } from './teller.ts'

const SIDE_BY_SIDE = 24
/** Where in the work the kills fall, as shares of the commands answered. */
const KILLS = [0.1, 0.3, 0.5, 0.7] as const

/** The process of an actor, or of the edge. @throws an error that says why it cannot be killed */
export const processNamed = async ({ processes }: Stage, name: string) => {
  const all = await processes()
  const found = all.find(p => p.name === name)
  if (!found && all.every(p => p.name === 'mesh'))
    throw new Error('the mesh runs as one process, or shows none: start it with --processes, and name its --data directory')
  if (!found) throw new Error(`there is no process ${name}; there are ${all.map(p => p.name).join(', ')}`)
  return found
}

/** Kills a process as `kill -9` does, and waits until another one has its place. */
const kill = async (stage: Stage, name: string, { tell }: Teller) => {
  const { pid } = await processNamed(stage, name)
  process.kill(pid, 'SIGKILL')
  const next = await until(`${name} comes back after kill -9 ${pid}`, async () => {
    const now = await processNamed(stage, name).catch(() => undefined)
    return now && now.pid !== pid ? now : undefined
  })
  tell(`kill -9 ${pid} (${name}); ${next.pid} takes its place`)
}

export type Device = { readonly person: Person; readonly ears: Ears }
const times = (counts: Iterable<number>, is: (n: number) => boolean) => [...counts].filter(is).length

/** What each device must have heard of comments and likes: the author of the post, and whoever acted. */
const unheard = ({ person, ears }: Device, told: Acknowledged): string[] => {
  const me = person.client.userId
  const mine = told.posts.get(me)
  const comments = [...told.comments].flatMap(([postId, ids]) => (postId === mine ? [...ids] : []))
  const heardComments = new Set(ears.heard.flatMap(e => (e.type === 'comment.added' ? [e.data.comment.id] : [])))
  // a like that was taken back before word of it went out is not told: what counts is how it ended
  const liked = ears.heard.flatMap(e => (e.type === 'post.liked' && e.data.postId === mine ? [e.data] : []))
  const likers = [...(told.likes.get(mine ?? '') ?? [])]
  const published = new Set(ears.heard.flatMap(e => (e.type === 'post.published' ? [e.data.id] : [])))
  return [
    ...comments.filter(id => !heardComments.has(id)).map(id => `comment ${id}`),
    ...[...told.posts.values()].filter(id => !published.has(id)).map(id => `post ${id}`),
    ...likers.filter(id => !liked.some(l => l.user.id === id)).map(id => `the like of ${id}`),
    ...(liked.some(l => l.likeCount === likers.length) ? [] : [`the count of ${likers.length} likes`]),
  ]
}

type Row = { readonly acknowledged: readonly string[]; readonly counted: number; readonly listed: readonly string[] }
type Found = {
  readonly name: string
  readonly comments: Row
  readonly likes: Row
  readonly archive: readonly string[]
  readonly now: string
  readonly timeline: readonly string[]
}
const ids = (things: readonly { id: string }[]) => things.map(t => t.id).sort()

/** What is there of one person, read as that person. */
const find = async ({ name, client }: Person, told: Acknowledged): Promise<Found> => {
  const me = client.userId
  const postId = told.posts.get(me) ?? ''
  const [post, comments, likes, archive, profile, timeline] = await Promise.all([
    client.ask('post.get', { postId }),
    collected(client.each('comment.list', { postId, limit: 100 })),
    collected(client.each('like.list', { postId, limit: 100 })),
    collected(client.each('post.list', { userId: me })),
    client.ask('user.get', { userId: me }),
    collected(client.each('timeline.get', {})),
  ])
  return {
    name,
    comments: { acknowledged: [...(told.comments.get(postId) ?? [])].sort(), counted: post.commentCount, listed: ids(comments) },
    likes: { acknowledged: [...(told.likes.get(postId) ?? [])].sort(), counted: post.likeCount, listed: ids(likes) },
    archive: ids(archive),
    now: profile.firstName,
    timeline: ids(timeline),
  }
}

const table = (found: readonly Found[], { plain, bold }: Teller) => {
  const heads = ['comments acknowledged', 'counted', 'listed', 'likes acknowledged', 'counted', 'listed']
  const line = (name: string, cells: readonly (string | number)[]) =>
    `            ${name.padEnd(10)}${cells.map((c, i) => String(c).padStart(heads[i]?.length ?? 0)).join('  ')}`
  plain(bold(line('post of', heads)))
  for (const { name, comments: c, likes: l } of found)
    plain(line(name, [c.acknowledged.length, c.counted, c.listed.length, l.acknowledged.length, l.counted, l.listed.length]))
}

export const compare = async (people: readonly Person[], told: Acknowledged, teller: Teller) => {
  teller.scene('Every acknowledged command took effect exactly once')
  const found = await Promise.all(people.map(person => find(person, told)))
  table(found, teller)
  const each = (what: string, is: (f: Found) => unknown, due: (f: Found, userId: string) => unknown) =>
    teller.same(
      what,
      found.map(is),
      found.map((f, i) => due(f, people[i]?.client.userId ?? '')),
    )
  each(
    'The comments listed are those acknowledged',
    f => f.comments.listed,
    f => f.comments.acknowledged,
  )
  each(
    '… and the likes',
    f => f.likes.listed,
    f => f.likes.acknowledged,
  )
  each(
    '… and the counts',
    f => [f.comments.counted, f.likes.counted],
    f => [f.comments.acknowledged.length, f.likes.acknowledged.length],
  )
  each(
    'Everybody has one post of the day',
    f => f.archive,
    (_, me) => [told.posts.get(me)],
  )
  each(
    '… and the name that they took last',
    f => f.now,
    (_, me) => told.names.get(me),
  )
  each(
    '… and everybody else’s post in the timeline',
    f => f.timeline,
    (_, me) => [...told.posts].flatMap(([id, post]) => (id === me ? [] : [post])).sort(),
  )
}

export const hear = async (devices: readonly Device[], told: Acknowledged, { scene, comes, same, tell }: Teller) => {
  scene('Every event was heard, once')
  for (const device of devices) {
    const { person, ears } = device
    if (ears.losses() > 0) {
      // a device that comes back is brought up to date thing by thing, not event by event; what is there was compared above
      tell(`${person.name}’s device lost its connection, or word of what happened, ${ears.losses()} times and resumed`)
      continue
    }
    const all = until(`${person.name} hears everything`, () => (unheard(device, told).length === 0 ? true : undefined)).catch(
      (error: Error) => {
        throw new Error(`${error.message}; missing: ${unheard(device, told).slice(0, 5).join(', ')}`)
      },
    )
    await comes(`${person.name} heard every post, comment and like that concerns them`, all)
  }
  const steady = devices.filter(d => d.ears.losses() === 0)
  same(
    'No device that stayed connected heard anything twice',
    steady.map(d => times(d.ears.raw.values(), n => n > 1)),
    steady.map(() => 0),
  )
  same(
    '… or anything that the contract does not know',
    devices.flatMap(d => d.ears.nonsense),
    [],
  )
}

/** Kills a process over and over while a crowd is at work, and compares what was acknowledged with what is there. */
export const playKills = async (mesh: MeshClient, stage: Stage, name: string, counts: Counts, teller: Teller): Promise<void> => {
  teller.scene('Six friends, everyone with everyone')
  const people = await gather(mesh)
  const devices = await Promise.all(people.map(async person => ({ person, ears: await listen(person.client) })))
  const told: Acknowledged = { posts: new Map(), refused: 0, comments: new Map(), likes: new Map(), names: new Map() }
  const total = people.length * 2 + reactionCount(people.length)
  teller.tell(
    `They will send ${total} commands, ${SIDE_BY_SIDE} at a time, and ${name} will be killed ${KILLS.length + 1} times meanwhile.`,
  )
  try {
    teller.scene(`They publish, like, comment and rename while ${name} dies`)
    let answered = 0
    let over = false
    const done = () => {
      answered += 1
    }
    const killing = async () => {
      for (const share of KILLS) {
        await until(`${share * 100} % of the work`, () => (over || answered >= share * total ? true : undefined), 180_000)
        if (over) throw new Error(`the work was over before ${name} was killed ${KILLS.length} times`)
        await kill(stage, name, teller)
        teller.tell(`… after ${answered} of ${total} answers`)
      }
    }
    const work = async () => {
      const first = allOf(publications(people, told), SIDE_BY_SIDE, done)
      await kill(stage, name, teller)
      await first
      const killed = killing()
      killed.catch(() => undefined)
      await allOf(reactions(people, told), SIDE_BY_SIDE, done)
      await killed
    }
    await work().finally(() => {
      over = true
    })
    const { requests, unreachable, busy, accepted, replayed } = counts
    teller.same('Every command was answered', answered, total)
    teller.same('Of two posts a day, one was refused for each', told.refused, people.length)
    teller.tell(
      `${requests} requests: ${unreachable} found no one, ${busy} were told to wait, ${accepted} were answered 202, ${replayed} answers were replayed`,
    )
    await compare(people, told, teller)
    await hear(devices, told, teller)
  } finally {
    for (const { ears } of devices) ears.stream.close()
  }
}
