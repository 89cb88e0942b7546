import type { EventEnvelope } from '../../contracts/declare/envelope.ts'
import { comment, like, type PostState, post, postKey, slot } from '../../contracts/posts.ts'
import { circle, counts, pair } from '../../contracts/users.ts'
import type { Sent } from './program.ts'
import type { World } from './world.ts'

type Played = { readonly sent: readonly Sent[]; readonly people: readonly string[]; readonly pairs: readonly { a: string; b: string }[] }

/** Every event once, by its id: what hearers are left with after duplicates. */
const distinct = (events: readonly EventEnvelope[]) => [...new Map(events.map(e => [e.id, e])).values()]

/**
 * Holds the mesh to its promises after a program of faults: every command answered, and alike each time; effects once; counts, rows and events agree.
 * @returns what is wrong, empty when nothing is
 */
export const wrongs = async (world: World, { sent, people, pairs }: Played): Promise<string[]> => {
  const wrong: string[] = []
  const { read, replies, published } = world
  const events = distinct(published)
  const of = (type: string) => events.filter(e => e.type === type)

  for (const m of sent) {
    const got = replies.get(m.id) ?? []
    if (got.length === 0) wrong.push(`${m.type} ${m.id} was never answered`)
    if (new Set(got.map(r => r.status)).size > 1) wrong.push(`${m.type} ${m.id} was answered ${got.map(r => r.status).join(' and ')}`)
  }
  // A fact that was said twice under two ids took effect twice.
  const commands = new Map<string, Set<string>>()
  for (const e of events) {
    const key = `${e.id.slice(0, e.id.lastIndexOf('.'))} ${e.type}`
    commands.set(key, (commands.get(key) ?? new Set()).add(e.id))
  }
  for (const [key, ids] of commands) if (ids.size > 1) wrong.push(`${key} took effect ${ids.size} times`)
  const effects = new Set(events.map(e => e.id.slice(0, e.id.lastIndexOf('.'))))
  for (const m of sent.filter(x => x.type === 'comment.add' || x.type === 'post.publish')) {
    const status = replies.get(m.id)?.[0]?.status
    if ((status === 201) !== effects.has(m.id))
      wrong.push(`${m.type} ${m.id} was answered ${status} and ${effects.has(m.id) ? 'had an' : 'had no'} effect`)
  }

  for (const { data } of of('post.published') as { data: { postId: string } }[])
    wrong.push(...(await wrongPost(world, data.postId, events)))
  for (const userId of people) {
    const archive = await read.range(post, { authorId: userId }, { limit: 10_000 })
    const live = archive.items.map(i => i.value).filter((p: PostState) => p.status === 'live')
    if (new Set(live.map(p => p.day)).size !== live.length) wrong.push(`${userId} has two posts on one day`)
    const { current } = await read.get(slot.at({ authorId: userId }))
    if (current && !live.some(p => p.postId === current.postId)) wrong.push(`${userId}'s slot names a post that is not there`)
    const entries = (await read.range(circle, { userId }, { limit: 10_000 })).items.map(i => i.value)
    const stored = await read.get(counts.at({ userId }))
    const counted = {
      friends: entries.filter(e => e.relation === 'friend').length,
      incoming: entries.filter(e => e.relation === 'incoming').length,
      outgoing: entries.filter(e => e.relation === 'outgoing').length,
      blocks: entries.filter(e => e.relation === 'blocked').length,
      mutes: entries.filter(e => e.mutedAt !== null).length,
    }
    if (JSON.stringify(stored) !== JSON.stringify(counted))
      wrong.push(`${userId} counts ${JSON.stringify(stored)}, the rows say ${JSON.stringify(counted)}`)
  }
  for (const p of pairs) {
    const truth = await read.get(pair.at(p))
    const [ab, ba] = await read.all([circle.at({ userId: p.a, other: p.b }), circle.at({ userId: p.b, other: p.a })])
    const friends = [ab, ba].filter(e => e?.relation === 'friend').length
    if (friends !== (truth.status === 'friends' ? 2 : 0))
      wrong.push(`${p.a} and ${p.b} are ${truth.status}, and ${friends} rows say friends`)
  }
  const { queued, dead } = await world.left()
  if (queued > 0) wrong.push(`${queued} messages are still queued`)
  if (dead > 0) wrong.push(`${dead} dead letters`)
  return wrong
}

const wrongPost = async ({ read }: World, postId: string, events: readonly EventEnvelope[]): Promise<string[]> => {
  const wrong: string[] = []
  const state = await read.get(post.at(postKey(postId)))
  const likes = (await read.range(like, { postId }, { limit: 10_000 })).items.filter(i => i.value.liked).length
  const comments = (await read.range(comment, { postId }, { limit: 10_000 })).items.filter(i => !i.value.deleted).length
  if (state.status !== 'live') {
    if (likes + comments > 0) wrong.push(`${postId} is deleted and has ${likes} likes and ${comments} comments left`)
    return wrong
  }
  const mine = events.filter(
    e => e.key.endsWith(`post#${postId.split('.').slice(1).join('#')}`) && e.key.includes(postId.split('.')[0] ?? '?'),
  )
  const n = (type: string) => mine.filter(e => e.type === type).length
  if (state.likeCount !== likes || likes !== n('post.liked') - n('post.unliked'))
    wrong.push(`${postId} counts ${state.likeCount} likes, has ${likes} rows, heard ${n('post.liked')} - ${n('post.unliked')}`)
  if (state.commentCount !== comments || comments !== n('comment.added') - n('comment.deleted'))
    wrong.push(
      `${postId} counts ${state.commentCount} comments, has ${comments} rows, heard ${n('comment.added')} - ${n('comment.deleted')}`,
    )
  const order = mine.map(e => e.version * 1000 + e.n)
  if (new Set(order).size !== order.length) wrong.push(`${postId}: two events have one version and number`)
  return wrong
}
