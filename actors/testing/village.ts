import type { Post } from '../../contracts/posts.ts'
import type { Circumstances } from '../kernel/testing/world.ts'
import { catalog } from './catalog.ts'
import { world } from './world.ts'

/** Ids that tests can read: `ann` begins with an a. */
const id = (letter: string, n: number) => `${letter.repeat(8)}-0000-4000-8000-${String(n).padStart(12, '0')}`
export const ann = id('a', 1)
export const bob = id('b', 2)
export const cem = id('c', 3)
export const dan = id('d', 4)
/** Somebody who never came. */
export const nobody = id('f', 15)

/** People with profiles, and what they commonly do, over all the actors' rules. */
export const village = (...people: readonly string[]) => {
  const w = world(catalog)
  const names = new Map([
    [ann, 'Ann'],
    [bob, 'Bob'],
    [cem, 'Cem'],
    [dan, 'Dan'],
  ])
  for (const p of people) w.say(p, 'user.replace', { firstName: names.get(p) ?? p.slice(0, 8), lastName: 'Example' })
  return {
    ...w,
    /** Makes the two friends. */
    befriend: (one: string, two: string) => {
      w.say(one, 'friend.request', { userId: two })
      w.say(two, 'friend.request', { userId: one })
    },
    /** Publishes, and gives the post. */
    publish: (by: string, c: Circumstances = {}): Post => {
      const { body, refused } = w.say(by, 'post.publish', { title: 'Title', content: 'Content' }, c)
      if (!body) throw new Error(`the post was refused: ${refused}`)
      return body
    },
    /** Comments, and gives the comment's id. */
    comment: (by: string, postId: string): string => {
      const { body, refused } = w.say(by, 'comment.add', { postId, content: 'Well said' })
      if (!body) throw new Error(`the comment was refused: ${refused}`)
      return body.id
    },
  }
}
