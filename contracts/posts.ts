import { z } from 'zod'
import { actor, command, fact, problem, query, snapshot } from './declare/messages.ts'
import { row, state } from './declare/records.ts'
import { Day, line, Time, text, UserId, word } from './declare/text.ts'
import { Person, pair, pairOf, user } from './users.ts'

// ── What clients see ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Opaque to clients. Author, day and serial of the author's posts, so that it never comes back and leads to its place without an index. */
export const PostId = word(55, /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\.\d{8}\.(?:\d{6}|[1-9]\d{6,8})$/, 'is no id of a post')
/**
 * Opaque to clients. The id of the command that added it and its author's: the first gives the order of time, the second lets a rule read
 * how the author stands to whoever acts, in the same round of reads as the comment itself.
 */
export const CommentId = word(128, /^[\w-]{1,80}(?:\.[\w-]{1,80}){0,4}$/, 'is no id of a comment')
export const commentIdOf = (command: string, by: string) => `${command}.${by}`
const commentAuthorOf = (commentId: string) => commentId.slice(commentId.lastIndexOf('.') + 1)

export const Post = z
  .object({
    id: z.string(),
    author: Person,
    day: Day,
    title: z.string(),
    content: z.string(),
    media: z.null(),
    late: z.boolean(),
    likeCount: z.int(),
    commentCount: z.int(),
    liked: z.boolean(),
    pinned: z.boolean(),
    createdAt: Time,
    editedAt: Time.nullable(),
  })
  .meta({ id: 'Post' })
export type Post = z.infer<typeof Post>

export const Comment = z
  .object({ id: z.string(), author: Person, content: z.string(), createdAt: Time, editedAt: Time.nullable() })
  .meta({ id: 'Comment' })
export type Comment = z.infer<typeof Comment>

export const Liked = z.object({ liked: z.boolean(), likeCount: z.int() }).meta({ id: 'Liked' })
export type Liked = z.infer<typeof Liked>

const title = line(1, 120)
const content = text(1, 5000)
const commentContent = text(1, 1000)

// ── What is stored ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const table = 'posts'
/** The parts of a post's id: the key of its item. */
export const postKey = (postId: string) => {
  const [authorId = '', day = '', serial = ''] = postId.split('.')
  return { authorId, day, serial }
}
/** The author's local date when a post was published. */
export const dayOf = (postId: string) => postKey(postId).day.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3')
/** @param serial the author's running number of posts, over all days */
export const postIdOf = (authorId: string, day: string, serial: number) =>
  `${authorId}.${day.replaceAll('-', '')}.${String(serial).padStart(6, '0')}`

/** How many of an author's days a slot remembers: at one moment it is three dates on earth at most, so a traveller can come back to no other. */
export const REMEMBERED_DAYS = 3
/**
 * An author's slot: the last days posted on, newest first, but for those whose post was deleted; and the post that is current until the first instant
 * of the author's next local date (`expiresAt`). `command` is the last one that published.
 */
export const Slot = z.object({
  days: z.array(Day).max(REMEMBERED_DAYS),
  serial: z.int(),
  current: z.object({ postId: z.string(), createdAt: Time, expiresAt: Time }).nullable(),
  lastDeletion: z.object({ postId: z.string(), at: Time, eventId: z.string() }).nullable(),
  command: z.string().nullable(),
})
export type Slot = z.infer<typeof Slot>
export const slot = state({
  table,
  pk: 'author#{authorId}',
  sk: 'slot',
  subject: 'authorId',
  value: Slot,
  initial: { days: [], serial: 0, current: null, lastDeletion: null, command: null },
})

/** What stands from the moment of publishing on, but for an edit of title and content. */
const publication = z.object({
  postId: z.string(),
  authorId: UserId,
  day: Day,
  title: z.string(),
  content: z.string(),
  late: z.boolean(),
  createdAt: Time,
})
export type Publication = z.infer<typeof publication>
/**
 * `contentVersion` counts the changes of the content, `contentEventId` is the event of the last of them (absent in what was written before it was kept);
 * `changedAt` and `eventId` belong to the last change of anything, the counts included.
 */
const live = publication.extend({
  status: z.literal('live'),
  likeCount: z.int(),
  commentCount: z.int(),
  contentVersion: z.int(),
  editedAt: Time.nullable(),
  changedAt: Time,
  eventId: z.string(),
  contentEventId: z.string().optional(),
})
export type LivePost = z.infer<typeof live>
export const PostState = z.discriminatedUnion('status', [
  z.object({ status: z.literal('none') }),
  live,
  z.object({ status: z.literal('deleted'), postId: z.string(), authorId: UserId, changedAt: Time, eventId: z.string() }),
])
export type PostState = z.infer<typeof PostState>
/** In the author's partition, so that the archive is one strongly consistent query. */
export const post = state({
  table,
  pk: 'author#{authorId}',
  sk: 'post#{day}#{serial}',
  subject: 'authorId',
  value: PostState,
  initial: { status: 'none' },
})

/** A row per person and post; `liked: false` is the tombstone that a late, redriven toggle runs into. */
export const Like = z.object({ postId: z.string(), by: UserId, liked: z.boolean(), at: Time })
export type Like = z.infer<typeof Like>
export const like = row({ table, pk: 'post#{postId}', sk: 'like#{by}', subject: 'by', value: Like })

/** Its id begins with its command's id (UUIDv7), so the sort key is the order of time. A deleted one keeps no content. */
export const CommentRow = z.object({
  postId: z.string(),
  commentId: z.string(),
  by: UserId,
  content: z.string(),
  createdAt: Time,
  editedAt: Time.nullable(),
  changedAt: Time,
  deleted: z.boolean(),
})
export type CommentRow = z.infer<typeof CommentRow>
export const comment = row({ table, pk: 'post#{postId}', sk: 'comment#{commentId}', subject: 'by', value: CommentRow })

/** A row per person and post that is or was pinned; `pinned: false` is the tombstone that a late, redriven toggle runs into. */
const Pin = z.object({ postId: z.string(), by: UserId, pinned: z.boolean(), at: Time })
export const pin = row({ table, pk: 'post#{postId}', sk: 'pin#{by}', subject: 'by', value: Pin })

/** How many posts a person has pinned at most. */
export const MAX_PINS = 10
/** A person's pins, newest first; one of a post that was deleted just now may still be among them. */
export const Pins = z.object({ pins: z.array(z.object({ postId: z.string(), at: Time })).max(MAX_PINS) })
export type Pins = z.infer<typeof Pins>
export const pins = state({ table, pk: 'user#{userId}', sk: 'pins', subject: 'userId', value: Pins, initial: { pins: [] } })
export const isPinned = (of: Pins, postId: string): boolean => of.pins.some(p => p.postId === postId)

// ── What is said ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

const OnPost = z.object({ postId: PostId })
const OnComment = OnPost.extend({ commentId: CommentId })
const Nothing = z.undefined()
type OnPost = { by: string; data: { postId: string } }
/** Who acts, whose post it is, how they stand to each other, and like and pins of the one who acts: what a post's answer needs. */
const reader = (m: OnPost) => {
  const { authorId } = postKey(m.data.postId)
  return {
    me: user.at({ userId: m.by }),
    author: user.at({ userId: authorId }),
    pair: pair.at(pairOf(m.by, authorId)),
    like: like.at({ postId: m.data.postId, by: m.by }),
    pins: pins.at({ userId: m.by }),
  }
}
const onPin = (m: OnPost) => ({ me: user.at({ userId: m.by }), pin: pin.at({ postId: m.data.postId, by: m.by }) })
const onComment = (m: { by: string; data: { postId: string; commentId: string } }) => ({
  ...reader(m),
  comment: comment.at({ postId: m.data.postId, commentId: m.data.commentId }),
  commenter: pair.at(pairOf(m.by, commentAuthorOf(m.data.commentId))),
})
/** How many rows of a deleted post one sweep takes: with the state they fit one transaction of 100 items. */
export const SWEEP = 90

export const posts = actor('posts', {
  records: { slot, post, like, comment, pin, pins },
  refusals: {
    'profile-required': problem(409, 'A profile is needed first'),
    'not-found': problem(404, 'There is no such thing, or you may not see it'),
    'not-a-friend': problem(403, 'Only friends may see this'),
    'not-the-author': problem(403, 'Only its author may do this'),
    'already-posted-today': problem(409, 'You have posted on this day already'),
    'version-mismatch': problem(412, 'It changed since you read it'),
    'pin-limit-reached': problem(409, 'You have pinned as many posts as one can pin'),
  },
  events: {
    'post.published': snapshot(slot, publication.extend({ expiresAt: Time })),
    'post.edited': snapshot(post, z.object({ postId: PostId, authorId: UserId, title: z.string(), content: z.string() })),
    'post.deleted': fact(post, z.object({ postId: PostId, authorId: UserId })),
    'post.liked': fact(post, z.object({ postId: PostId, authorId: UserId, by: UserId, likeCount: z.int() })),
    'post.unliked': fact(post, z.object({ postId: PostId, authorId: UserId, by: UserId, likeCount: z.int() })),
    'post.swept': fact(post, z.object({ postId: PostId, rows: z.array(z.string()), more: z.boolean() })),
    'post.pinned': fact(pins, z.object({ postId: PostId, userId: UserId })),
    'post.unpinned': fact(pins, z.object({ postId: PostId, userId: UserId })),
    'comment.added': fact(post, z.object({ authorId: UserId, comment: CommentRow, commentCount: z.int() })),
    'comment.edited': fact(post, z.object({ authorId: UserId, comment: CommentRow, commentCount: z.int() })),
    'comment.deleted': fact(post, z.object({ authorId: UserId, comment: CommentRow, commentCount: z.int() })),
  },
  commands: {
    'post.publish': command(slot, {
      http: 'POST /v1/posts',
      who: 'signed-in',
      summary: 'Publish the post of your day',
      data: z.object({ title, content }),
      answer: { 201: Post },
      refuses: ['already-posted-today', 'profile-required'],
      key: m => ({ authorId: m.by }),
      loads: m => ({ me: user.at({ userId: m.by }) }),
    }),
    'post.edit': command(post, {
      http: 'PATCH /v1/posts/{postId}',
      who: 'author',
      summary: 'Change title or content of your post',
      data: OnPost.extend({ title: title.optional(), content: content.optional() }),
      answer: { 200: Post },
      refuses: ['not-found', 'not-the-author', 'version-mismatch', 'profile-required'],
      key: m => postKey(m.data.postId),
      loads: reader,
    }),
    'post.delete': command(post, {
      http: 'DELETE /v1/posts/{postId}',
      who: 'author',
      summary: 'Delete your post, with its likes and comments, and free its day',
      data: OnPost,
      answer: { 204: Nothing },
      refuses: ['not-found', 'not-the-author', 'version-mismatch', 'profile-required'],
      key: m => postKey(m.data.postId),
      loads: m => ({ ...reader(m), slot: slot.at({ authorId: postKey(m.data.postId).authorId }) }),
    }),
    'post.sweep': command(post, {
      who: 'mesh',
      summary: 'Removes the next rows of a deleted post',
      data: OnPost,
      answer: { 204: Nothing },
      refuses: [],
      key: m => postKey(m.data.postId),
      loads: m => ({
        likes: like.page({ postId: m.data.postId }, SWEEP),
        comments: comment.page({ postId: m.data.postId }, SWEEP),
        pins: pin.page({ postId: m.data.postId }, SWEEP),
      }),
    }),
    'post.like': command(post, {
      http: 'PUT /v1/posts/{postId}/like',
      who: 'reader',
      summary: 'Like a post',
      data: OnPost,
      answer: { 200: Liked },
      refuses: ['not-found', 'profile-required'],
      key: m => postKey(m.data.postId),
      loads: reader,
    }),
    'post.unlike': command(post, {
      http: 'DELETE /v1/posts/{postId}/like',
      who: 'reader',
      summary: 'Take a like back',
      data: OnPost,
      answer: { 200: Liked },
      refuses: ['not-found', 'profile-required'],
      key: m => postKey(m.data.postId),
      loads: reader,
    }),
    'post.pin': command(pins, {
      http: 'PUT /v1/users/me/pins/{postId}',
      who: 'reader',
      summary: 'Pin a post that you see',
      data: OnPost,
      answer: { 204: Nothing },
      refuses: ['not-found', 'profile-required', 'pin-limit-reached'],
      key: m => ({ userId: m.by }),
      loads: m => {
        const { authorId } = postKey(m.data.postId)
        return {
          ...onPin(m),
          post: post.at(postKey(m.data.postId)),
          author: user.at({ userId: authorId }),
          pair: pair.at(pairOf(m.by, authorId)),
        }
      },
    }),
    'post.unpin': command(pins, {
      http: 'DELETE /v1/users/me/pins/{postId}',
      who: 'signed-in',
      summary: 'Unpin a post, also one that you see no more',
      data: OnPost,
      answer: { 204: Nothing },
      refuses: ['profile-required'],
      key: m => ({ userId: m.by }),
      loads: onPin,
    }),
    'post.drop-pin': command(pins, {
      who: 'mesh',
      summary: 'Removes a person’s pin of a deleted post',
      data: OnPost.extend({ userId: UserId }),
      answer: { 204: Nothing },
      refuses: [],
      key: m => ({ userId: m.data.userId }),
      loads: m => ({ post: post.at(postKey(m.data.postId)) }),
    }),
    'comment.add': command(post, {
      http: 'POST /v1/posts/{postId}/comments',
      who: 'reader',
      summary: 'Comment on a post',
      data: OnPost.extend({ content: commentContent }),
      answer: { 201: Comment },
      refuses: ['not-found', 'profile-required'],
      key: m => postKey(m.data.postId),
      loads: m => ({ ...reader(m), comment: comment.at({ postId: m.data.postId, commentId: commentIdOf(m.id, m.by) }) }),
    }),
    'comment.edit': command(post, {
      http: 'PATCH /v1/posts/{postId}/comments/{commentId}',
      who: 'comment-author',
      summary: 'Change your comment',
      data: OnComment.extend({ content: commentContent.optional() }),
      answer: { 200: Comment },
      refuses: ['not-found', 'not-the-author', 'profile-required'],
      key: m => postKey(m.data.postId),
      loads: onComment,
    }),
    'comment.delete': command(post, {
      http: 'DELETE /v1/posts/{postId}/comments/{commentId}',
      who: 'comment-or-post-author',
      summary: 'Delete a comment of yours, or one below your post',
      data: OnComment,
      answer: { 204: Nothing },
      refuses: ['not-found', 'not-the-author', 'profile-required'],
      key: m => postKey(m.data.postId),
      loads: onComment,
    }),
  },
  queries: {
    'post.get': query({
      http: 'GET /v1/posts/{postId}',
      who: 'reader',
      summary: 'A post',
      data: OnPost,
      answer: Post,
      versioned: true,
      refuses: ['not-found', 'version-mismatch'],
    }),
    'post.list': query({
      http: 'GET /v1/users/{userId}/posts',
      who: 'circle',
      summary: 'A person’s posts, the current one included, newest first',
      data: z.object({ userId: UserId }),
      answer: Post,
      list: true,
      refuses: ['not-found', 'not-a-friend'],
    }),
    'post.today': query({
      http: 'GET /v1/users/{userId}/posts/today',
      who: 'circle',
      summary: 'A person’s current post',
      data: z.object({ userId: UserId }),
      answer: Post,
      versioned: true,
      refuses: ['not-found', 'not-a-friend', 'version-mismatch'],
    }),
    'pin.list': query({
      http: 'GET /v1/users/{userId}/pins',
      who: 'circle',
      summary: 'The posts that a person has pinned, newest pin first, those that you see, too',
      data: z.object({ userId: UserId }),
      answer: Post,
      list: true,
      refuses: ['not-found', 'not-a-friend'],
    }),
    'like.list': query({
      http: 'GET /v1/posts/{postId}/likes',
      who: 'reader',
      summary: 'The people who like a post',
      data: OnPost,
      answer: Person,
      list: true,
      refuses: ['not-found'],
    }),
    'comment.list': query({
      http: 'GET /v1/posts/{postId}/comments',
      who: 'reader',
      summary: 'The comments on a post, oldest first',
      data: OnPost,
      answer: Comment,
      list: true,
      refuses: ['not-found'],
    }),
  },
  subscribes: ['post.deleted', 'post.swept', 'post.pinned'],
})
