import { pairOf } from '../../contracts/users.ts'
import type { World } from './world.ts'

const PEOPLE = ['a', 'b', 'c', 'd', 'e'].map(x => `${x.repeat(8)}-0000-4000-8000-000000000000`)

/** What was sent: enough to say afterwards what must have come of it. */
export type Sent = { readonly id: string; readonly type: string; readonly by: string; readonly data: Record<string, string> }

const draft = (n: number) => ({ title: `Title ${n}`, content: `Content ${n}` })

/** People who sign up, become friends, post, like, comment, block and delete at random, all at the same few keys. */
export const play = async (world: World, steps: number) => {
  const { random, send, clock } = world
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const sent: Sent[] = []
  const tell = async (type: string, by: string, data: Record<string, string>) => {
    sent.push({ id: await send(type, by, data), type, by, data })
  }
  for (const userId of PEOPLE) {
    await tell('user.register', userId, { userId, email: `${userId[0]}@example.org` })
    await tell('user.replace', userId, { firstName: 'Person', lastName: userId.slice(0, 1) })
  }
  await clock.advance(20_000)
  for (const by of PEOPLE) for (const userId of PEOPLE) if (by < userId) await tell('friend.request', by, { userId })
  await clock.advance(20_000)
  for (const by of PEOPLE) for (const userId of PEOPLE) if (by > userId) await tell('friend.accept', by, { userId })
  await clock.advance(20_000)

  const postsKnown = () => world.published.filter(e => e.type === 'post.published').map(e => (e.data as { postId: string }).postId)
  const commentsKnown = () =>
    world.published.filter(e => e.type === 'comment.added').map(e => (e.data as { comment: { postId: string; commentId: string } }).comment)
  for (let n = 0; n < steps; n++) {
    const by = pick(PEOPLE)
    const other = pick(PEOPLE)
    const posts = postsKnown()
    const postId = posts.length > 0 ? pick(posts) : undefined
    const comments = commentsKnown()
    const comment = comments.length > 0 ? pick(comments) : undefined
    const dice = random()
    if (dice < 0.12) await tell('post.publish', by, draft(n))
    else if (dice < 0.16 && postId) await tell('post.delete', postId.split('.')[0] ?? by, { postId })
    else if (dice < 0.2 && postId) await tell('post.edit', by, { postId, ...draft(n) })
    else if (dice < 0.42 && postId) await tell('post.like', by, { postId })
    else if (dice < 0.55 && postId) await tell('post.unlike', by, { postId })
    else if (dice < 0.72 && postId) await tell('comment.add', by, { postId, content: `Comment ${n}` })
    else if (dice < 0.78 && comment) await tell('comment.delete', by, { postId: comment.postId, commentId: comment.commentId })
    else if (dice < 0.8) await tell('friend.remove', by, { userId: other })
    else if (dice < 0.92) await tell('friend.request', by, { userId: other })
    else if (dice < 0.93) await tell('user.block', by, { userId: other })
    else if (dice < 0.98) await tell('user.unblock', by, { userId: other })
    else await tell('user.edit', by, { headline: `Headline ${n}` })
    if (random() < 0.5) await clock.advance(random() * 500)
    if (random() < 0.01) await clock.advance(12 * 3_600_000)
  }
  return { sent, people: PEOPLE, pairs: PEOPLE.flatMap(x => PEOPLE.filter(y => x < y).map(y => pairOf(x, y))) }
}
