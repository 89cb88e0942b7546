import { slot } from '../../contracts/posts.ts'
import { timelines } from '../../contracts/timelines.ts'
import { descending } from '../kernel/authoring/page.ts'
import { defineViews, type Reader } from '../kernel/authoring/reader.ts'
import { currentOf, postsUnchecked } from '../posts/views.ts'
import { followedBy } from '../users/views.ts'

/** The current posts of people, newest first; posts of one instant in the order of their ids. Their place in the list is `at`. */
const currentPosts = async (read: Reader, people: readonly string[], now: number) => {
  const slots = await read.all(people.map(authorId => slot.at({ authorId })))
  const current = slots.flatMap(s => currentOf(s, now) ?? [])
  return descending(current, ({ createdAt, postId }) => `${createdAt}|${postId}`)
}

/**
 * A timeline is read, not fanned out: the circle (one request), the friends' slots (one a hundred), and one round for the page's posts, authors and the
 * viewer's likes. So it has no lag, and deletes, edits, renames and blocks show at once.
 */
export const timelineViews = defineViews(timelines, {
  'timeline.get': async ({ by, data: { include }, now, limit, after }, read) => {
    const friends = await followedBy(read, by)
    const left = (await currentPosts(read, include === 'self' ? [...friends, by] : friends, now)).from(after)
    const page = left.slice(0, limit)
    const [newest, oldest] = [page.at(0), page.at(-1)]
    const complete = page.length === left.length
    // All of them are by friends, or by the caller: their slots were asked for by the circle as it stands.
    const shown = await postsUnchecked(
      read,
      by,
      page.map(p => p.value.postId),
    )
    return {
      // Who was deleted or erased between the two rounds is left out.
      items: shown.filter(p => p !== undefined),
      next: complete ? null : (oldest?.at ?? null),
      covers: { from: newest?.value.createdAt ?? null, to: oldest?.value.createdAt ?? null, complete },
    }
  },
})
