import { z } from 'zod'
import { Time, UserId } from '../../contracts/declare/text.ts'
import { comment, like, post, postKey } from '../../contracts/posts.ts'
import type { PushMessage } from '../../contracts/push.ts'
import { mutedSince, pair, pairOf, user } from '../../contracts/users.ts'
import type { Reader } from '../kernel/authoring/reader.ts'
import { inCircle, personOf, standing } from '../users/views.ts'

/** Something that people are told of: what, by whom, when, and the post and comment it is about. */
export const Happening = z.object({
  type: z.enum(['friend.requested', 'friend.accepted', 'post.liked', 'comment.added', 'post.published']),
  at: Time,
  by: UserId,
  postId: z.string().nullable(),
  commentId: z.string().nullable(),
})
export type Happening = z.infer<typeof Happening>

const EXCERPT = 120
const excerpt = (text: string) => {
  const characters = [...text.replace(/\s+/g, ' ')]
  return characters.length > EXCERPT ? `${characters.slice(0, EXCERPT - 1).join('')}…` : characters.join('')
}

/** The post, if it is there, and if the one it is told to may see it. */
const postFor = async (read: Reader, to: string, postId: string) => {
  const key = postKey(postId)
  const [p, author, between] = await Promise.all([
    read.get(post.at(key)),
    read.get(user.at({ userId: key.authorId })),
    read.get(pair.at(pairOf(to, key.authorId))),
  ])
  return p.status === 'live' && inCircle(standing(to, key.authorId, author, between)) ? p : undefined
}

/**
 * What somebody is told of a happening as things stand now; undefined where it is so no longer, or is nothing that they may see. Asked twice: when it
 * happens, and again before each try to send it.
 */
export const noticeFor = async (
  read: Reader,
  { type, at, by, postId, commentId }: Happening,
  to: string,
): Promise<PushMessage | undefined> => {
  if (to === by) return undefined
  const [actor, between, about] = await Promise.all([
    read.get(user.at({ userId: by })),
    read.get(pair.at(pairOf(to, by))),
    postId === null ? undefined : postFor(read, to, postId),
  ])
  if (actor.status !== 'live' || standing(to, by, actor, between) === 'hidden') return undefined
  const { firstName, lastName } = personOf(by, actor)
  const says = (url: string, what: string): PushMessage => ({
    type,
    title: `${firstName} ${lastName}`,
    body: `${firstName} ${what}`,
    url,
    at,
  })
  switch (type) {
    case 'friend.requested':
      return between.status === 'pending' && between.requestedBy === by ? says(`/users/${by}`, 'asks to be your friend') : undefined
    case 'friend.accepted':
      return between.status === 'friends' ? says(`/users/${by}`, 'is your friend now') : undefined
    case 'post.liked': {
      const stands = about && (await read.get(like.at({ postId: about.postId, by })))
      return stands?.liked ? says(`/posts/${about?.postId}`, `likes “${about?.title}”`) : undefined
    }
    case 'comment.added': {
      const said = about && commentId !== null ? await read.get(comment.at({ postId: about.postId, commentId })) : undefined
      return said && !said.deleted ? says(`/posts/${said.postId}`, `comments on “${about?.title}”: ${excerpt(said.content)}`) : undefined
    }
    case 'post.published':
      return about && mutedSince(between, to) === null ? says(`/posts/${about.postId}`, `has posted “${about.title}”`) : undefined
  }
}
