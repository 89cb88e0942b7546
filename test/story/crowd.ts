import type { Client, MeshClient } from '../../contracts/client/client.ts'
import { ProblemError } from '../../contracts/client/http.ts'
import { befriend, join } from '../people.ts'

export type Person = { readonly name: string; readonly client: Client }

/** What was acknowledged, as the callers were told. */
export type Acknowledged = {
  /** Author's id -> the id of the post. */
  readonly posts: Map<string, string>
  /** How often the second publication of a day was refused. */
  refused: number
  /** Post's id -> ids of its comments. */
  readonly comments: Map<string, Set<string>>
  /** Post's id -> ids of those who like it. */
  readonly likes: Map<string, Set<string>>
  /** Person's id -> the name that was acknowledged last. */
  readonly names: Map<string, string>
}

const NAMES = ['Ana', 'Ben', 'Chi', 'Dee', 'Eli', 'Fay'] as const
const COMMENTS = 5
const RENAMES = 5

/** Friends, everyone with everyone: as many as are named, six at most. */
export const gather = async (mesh: MeshClient, count: number = NAMES.length): Promise<Person[]> => {
  const people = await Promise.all(NAMES.slice(0, count).map(async name => ({ name, client: await join(mesh, name) })))
  await Promise.all(people.flatMap((a, i) => people.slice(i + 1).map(b => befriend(a.client, b.client))))
  return people
}

/** One command after another that depend on each other; `done` is called for each that was answered. */
export type Job = (done: () => void) => Promise<void>
const PATIENCE = { patience: 120_000 }

/** Everybody publishes twice at once: one of the two must win, whatever dies. */
export const publications = (people: readonly Person[], told: Acknowledged): Job[] =>
  people.flatMap(({ name, client }) =>
    [1, 2].map(n => async (done: () => void) => {
      try {
        const { id } = await client.send('post.publish', { title: `${name}’s day`, content: `Attempt ${n}` }, PATIENCE)
        if (told.posts.has(client.userId)) throw new Error(`${name} published twice on one day: ${told.posts.get(client.userId)} and ${id}`)
        told.posts.set(client.userId, id)
      } catch (error) {
        if (!(error instanceof ProblemError) || error.code !== 'already-posted-today') throw error
        told.refused += 1
      }
      done()
    }),
  )

/** Everybody likes, unlikes and likes again, and comments on everybody else's post, and takes new names. */
export const reactions = (people: readonly Person[], told: Acknowledged): Job[] =>
  people.flatMap(({ name, client }) => [
    ...[...told.posts]
      .filter(([authorId]) => authorId !== client.userId)
      .flatMap(([, postId]) => [
        async (done: () => void) => {
          for (const type of ['post.like', 'post.unlike', 'post.like'] as const) {
            await client.send(type, { postId }, PATIENCE)
            done()
          }
          told.likes.set(postId, new Set([...(told.likes.get(postId) ?? []), client.userId]))
        },
        ...Array.from({ length: COMMENTS }, (_, n) => async (done: () => void) => {
          const { id } = await client.send('comment.add', { postId, content: `${name} says ${n}` }, PATIENCE)
          told.comments.set(postId, new Set([...(told.comments.get(postId) ?? []), id]))
          done()
        }),
      ]),
    async (done: () => void) => {
      for (let n = 1; n <= RENAMES; n += 1) {
        const { firstName } = await client.send('user.edit', { firstName: `${name} ${'I'.repeat(n)}` }, PATIENCE)
        told.names.set(client.userId, firstName)
        done()
      }
    },
  ])

/** How many commands the jobs of `reactions` send. */
export const reactionCount = (people: number): number => people * ((people - 1) * (3 + COMMENTS) + RENAMES)

/** Runs jobs side by side, in an order that mixes people and posts. The first that fails ends it. */
export const allOf = async (jobs: readonly Job[], side: number, done: () => void): Promise<void> => {
  const waiting = jobs.map((job, i) => ({ job, at: (i * 7919) % jobs.length })).sort((a, b) => a.at - b.at)
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next.job(done)
  }
  await Promise.all(Array.from({ length: side }, worker))
}
