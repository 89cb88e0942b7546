import type { Person } from './people.ts'
import { say } from './say.ts'
import { pause } from './wait.ts'

/** Ids of all posts on a timeline, page after page, as they come. */
export const scroll = async (reader: Person, limit: number, between: () => Promise<void> = async () => {}): Promise<string[]> => {
  const ids: string[] = []
  for (let cursor: string | undefined; ; await between()) {
    const page = await say(reader, 'timeline.get', { limit, ...(cursor === undefined ? {} : { cursor }) })
    ids.push(...page.items.map(post => post.id))
    if (page.next === null) return ids
    cursor = page.next
  }
}

/** When a post is on a timeline, epoch ms; undefined when it is not within `ms`. */
export const shows = async (reader: Person, postId: string, ms: number): Promise<number | undefined> => {
  for (const until = Date.now() + ms; ; await pause(50)) {
    if ((await scroll(reader, 100)).includes(postId)) return Date.now()
    if (Date.now() > until) return undefined
  }
}
