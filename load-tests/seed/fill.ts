import type { Client, MeshClient } from '../../contracts/client/client.ts'
import { SignInError } from '../../contracts/client/cognito.ts'
import { ProblemError } from '../../contracts/client/http.ts'
import type { Plan, Planned } from './plan.ts'

/** Of everybody: they exist to be looked at. */
export const PASSWORD = 'Daily-grind-1'
/** Requests under way at once: enough to be quick, few enough for a laptop that does something else too. */
const AT_ONCE = 12
/** A mesh that sheds load says when to come back; a person here waits that long. */
const PATIENCE = { patience: 120_000 }

export type Summary = {
  readonly signedUp: number
  readonly known: number
  readonly friendships: number
  readonly published: number
  /** Had posted already that day. */
  readonly posted: number
  readonly likes: number
  readonly comments: number
}
/** Told what is done, how many of how many. */
export type Progress = (what: string, done: number, of: number) => void

const each = async <T>(
  what: string,
  items: readonly T[],
  progress: Progress,
  work: (item: T, n: number) => Promise<void>,
): Promise<void> => {
  let next = 0
  let done = 0
  const worker = async () => {
    for (let n = next++; n < items.length; n = next++) {
      const item = items[n]
      if (item !== undefined) await work(item, n)
      progress(what, ++done, items.length)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/**
 * Carries the plan out through the public API. What is there already stays as it is: people sign in, friends are friends, who has posted today
 * keeps that post, likes are likes, and comments carry keys that make a repeat within a day the same comment.
 * @throws when the pool does not confirm who signs up, or the mesh refuses what nobody should be refused
 */
export const fill = async (mesh: MeshClient, { people, friends, reactions }: Plan, progress: Progress): Promise<Summary> => {
  const sum = { signedUp: 0, known: 0, friendships: 0, published: 0, posted: 0, likes: 0, comments: 0 }
  const clients = new Map<number, Client>()
  const clientOf = (n: number): Client => {
    const client = clients.get(n)
    if (!client) throw new Error(`person ${n} has no client`)
    return client
  }

  await each('people', people, progress, async (person, n) => {
    if (await signUp(mesh, person)) sum.signedUp++
    else sum.known++
    const client = await mesh.signIn({ email: person.email, password: PASSWORD })
    const { firstName, lastName, headline } = person
    await client.send('user.replace', { firstName, lastName, headline }, PATIENCE)
    clients.set(n, client)
  })
  await each('friendships', friends, progress, async ([a, b]) => {
    // Requests that cross make friends, and asking a friend changes nothing.
    await clientOf(a).send('friend.request', { userId: clientOf(b).userId }, PATIENCE)
    await clientOf(b).send('friend.request', { userId: clientOf(a).userId }, PATIENCE)
    sum.friendships++
  })
  const posts = new Map<number, string>()
  await each('posts', people, progress, async ({ post }, n) => {
    const { id, fresh } = await publish(clientOf(n), post)
    posts.set(n, id)
    if (fresh) sum.published++
    else sum.posted++
  })
  await each('likes and comments', reactions, progress, async ({ by, to, like, comments }) => {
    const postId = posts.get(to) ?? ''
    const client = clientOf(by)
    if (like) {
      await client.send('post.like', { postId }, PATIENCE)
      sum.likes++
    }
    for (const [n, content] of comments.entries()) {
      await client.send('comment.add', { postId, content }, { ...PATIENCE, key: `seed-${postId}-${n}` })
      sum.comments++
    }
  })
  return sum
}

/** @returns whether they are new */
const signUp = async (mesh: MeshClient, { email }: Planned): Promise<boolean> => {
  try {
    const { confirmed } = await mesh.signUp({ email, password: PASSWORD })
    if (!confirmed)
      throw new Error(`${email} signed up, but the pool waits for a confirmation: only pools that confirm at once can be filled`)
    return true
  } catch (error) {
    if (error instanceof SignInError && error.kind === 'UsernameExistsException') return false
    throw error
  }
}

/** Today's post, made now or before. */
const publish = async (client: Client, post: Planned['post']): Promise<{ id: string; fresh: boolean }> => {
  try {
    return { id: (await client.send('post.publish', post, PATIENCE)).id, fresh: true }
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== 'already-posted-today') throw error
    return { id: (await client.ask('post.today', { userId: client.userId }, PATIENCE)).id, fresh: false }
  }
}
