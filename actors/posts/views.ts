import { refuse } from '../../contracts/declare/rules.ts'
import {
  type Comment,
  type CommentRow,
  comment,
  isPinned,
  type Like,
  type LivePost,
  like,
  type Pins,
  type Post,
  pins,
  post,
  postKey,
  posts,
  type Slot,
  slot,
} from '../../contracts/posts.ts'
import { type Person, pair, pairOf, user } from '../../contracts/users.ts'
import { descending, fillPage, stored } from '../kernel/authoring/page.ts'
import { defineViews, type Reader } from '../kernel/authoring/reader.ts'
import { circleOnly, inCircle, peopleFor, personOf, standing, standingOf } from '../users/views.ts'

export const noSuchPost = refuse('not-found', 'there is no such post, or you may not see it')
export const noSuchComment = refuse('not-found', 'there is no such comment, or you may not see it')

// ── How a post and a comment look ──────────────────────────────────────────────────────────────────────────────────────────────

/** @param own what the reader did about it: likes it, has pinned it */
export const postBody = (p: LivePost, author: Person, { liked, pinned }: { readonly liked: boolean; readonly pinned: boolean }): Post => ({
  id: p.postId,
  author,
  day: p.day,
  title: p.title,
  content: p.content,
  media: null,
  late: p.late,
  likeCount: p.likeCount,
  commentCount: p.commentCount,
  liked,
  pinned,
  createdAt: p.createdAt,
  editedAt: p.editedAt,
})

/** What a reader did about a post. */
export const ownOf = (postId: string, liked: Like | undefined, of: Pins) => ({ liked: liked?.liked ?? false, pinned: isPinned(of, postId) })

export const commentBody = (c: CommentRow, author: Person): Comment => ({
  id: c.commentId,
  author,
  content: c.content,
  createdAt: c.createdAt,
  editedAt: c.editedAt,
})

// ── Reads for others ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The current post of a slot, if its author's day is not over. @param now epoch ms */
export const currentOf = ({ current }: Slot, now: number): Slot['current'] =>
  current !== null && now < Date.parse(current.expiresAt) ? current : null

type Deletion = NonNullable<Slot['lastDeletion']>
const DAY = 24 * 3_600_000
/** How many of an author's posts are looked at: those of a few days, and those that were deleted among them. */
const RECENT = 100

/**
 * Which of an author's posts were deleted since a time: every one that was current then or later, and the last one in any case.
 * A slot tells of the last only, and an author may delete, publish and delete again while a reader is away.
 * @param since epoch ms
 */
export const deletedSince = async (read: Reader, authorId: string, { lastDeletion }: Slot, since: number): Promise<Deletion[]> => {
  const from = new Date(since).toISOString()
  if (lastDeletion === null || lastDeletion.at < from) return []
  // What was current then was published within a day before, on a date that is within a day of the one in Greenwich.
  const day = new Date(since - 2 * DAY).toISOString().slice(0, 10).replaceAll('-', '')
  const { items } = await read.range(post, { authorId }, { after: post.at({ authorId, day, serial: '0' }).place.sk, limit: RECENT })
  const others = items.flatMap(({ value: p }) =>
    p.status === 'deleted' && p.changedAt >= from && p.postId !== lastDeletion.postId
      ? [{ postId: p.postId, at: p.changedAt, eventId: p.eventId }]
      : [],
  )
  return [...others, lastDeletion]
}

/** A post as one reads it who may see it. */
type SeenPost = { readonly body: Post; readonly version: number }

/**
 * The way to show posts of several people: each as the viewer may read it at this moment, in one round of reads; undefined where they may not, and where there
 * is none.
 */
export const postsSeenBy = async (read: Reader, viewer: string, ids: readonly string[]): Promise<(SeenPost | undefined)[]> => {
  const authors = ids.map(id => postKey(id).authorId)
  const [states, people, pairs, likes, own] = await Promise.all([
    read.all(ids.map(id => post.at(postKey(id)))),
    read.all(authors.map(userId => user.at({ userId }))),
    read.all(authors.map(authorId => pair.at(pairOf(viewer, authorId)))),
    read.all(ids.map(postId => like.at({ postId, by: viewer }))),
    read.get(pins.at({ userId: viewer })),
  ])
  return authors.map((authorId, i) => {
    const [p, author, between] = [states[i], people[i], pairs[i]]
    return p?.status === 'live' && author && between && inCircle(standing(viewer, authorId, author, between))
      ? { body: postBody(p, personOf(authorId, author), ownOf(p.postId, likes[i], own)), version: p.contentVersion }
      : undefined
  })
}

/**
 * Posts as `postsSeenBy` gives them, for a caller who has just read that the viewer is friends with every author: nobody checks it again here.
 * Undefined where a post or its author is gone.
 */
export const postsUnchecked = async (read: Reader, viewer: string, ids: readonly string[]): Promise<(Post | undefined)[]> => {
  const [states, authors, likes, own] = await Promise.all([
    read.all(ids.map(id => post.at(postKey(id)))),
    read.all(ids.map(id => user.at({ userId: postKey(id).authorId }))),
    read.all(ids.map(postId => like.at({ postId, by: viewer }))),
    read.get(pins.at({ userId: viewer })),
  ])
  return ids.map((_, i) => {
    const [p, author] = [states[i], authors[i]]
    return p?.status === 'live' && author?.status === 'live'
      ? postBody(p, personOf(p.authorId, author), ownOf(p.postId, likes[i], own))
      : undefined
  })
}

/** A post for a viewer who may see it, undefined for others. */
const visiblePost = async (read: Reader, viewer: string, postId: string) => (await postsSeenBy(read, viewer, [postId]))[0]

export const postViews = defineViews(posts, {
  'post.get': async ({ by, data: { postId } }, read) => (await visiblePost(read, by, postId)) ?? noSuchPost,

  'post.today': async ({ by, data: { userId }, now }, read) => {
    const [stands, theirs] = await Promise.all([standingOf(read, by, userId), read.get(slot.at({ authorId: userId }))])
    const current = currentOf(theirs, now)
    const today = current && inCircle(stands) ? await visiblePost(read, by, current.postId) : undefined
    return circleOnly(stands) ?? today ?? noSuchPost
  },

  'post.list': async ({ by, data: { userId }, ...page }, read) => {
    const [stands, author] = await Promise.all([standingOf(read, by, userId), read.get(user.at({ userId }))])
    return (
      circleOnly(stands) ??
      (await fillPage(page, stored(read, post, { authorId: userId }, { reverse: true }), async states => {
        const live = states.filter(p => p.status === 'live')
        const [likes, own] = await Promise.all([
          read.all(live.map(({ postId }) => like.at({ postId, by }))),
          read.get(pins.at({ userId: by })),
        ])
        const ofPost = new Map(live.map(({ postId }, i) => [postId, likes[i]]))
        return states.map(p =>
          p.status === 'live' ? postBody(p, personOf(userId, author), ownOf(p.postId, ofPost.get(p.postId), own)) : undefined,
        )
      }))
    )
  },

  'pin.list': async ({ by, data: { userId }, ...page }, read) => {
    const [stands, theirs] = await Promise.all([standingOf(read, by, userId), read.get(pins.at({ userId }))])
    return (
      circleOnly(stands) ??
      fillPage(page, descending(theirs.pins, p => `${p.at}|${p.postId}`).source, async pinned => {
        const ids = pinned.map(p => p.postId)
        return (await postsSeenBy(read, by, ids)).map(seen => seen?.body)
      })
    )
  },

  'like.list': async ({ by, data: { postId }, ...page }, read) =>
    (await visiblePost(read, by, postId))
      ? fillPage(page, stored(read, like, { postId }), async likes => {
          const people = await peopleFor(read, by, likes, l => l.by)
          return likes.map((l, i) => (l.liked ? people[i] : undefined))
        })
      : noSuchPost,

  'comment.list': async ({ by, data: { postId }, ...page }, read) =>
    (await visiblePost(read, by, postId))
      ? fillPage(page, stored(read, comment, { postId }), async comments => {
          const people = await peopleFor(read, by, comments, c => c.by)
          return comments.map((c, i) => (!c.deleted && people[i] ? commentBody(c, people[i]) : undefined))
        })
      : noSuchPost,
})
