import { comment, type LivePost, like, type Post, pins, post, postKey } from '../../../contracts/posts.ts'
import type { CommentEvent, LikeEvent, PersonEvent, StreamEvents } from '../../../contracts/stream.ts'
import { mutedSince, type Pair, type Person, pair, pairOf, type User, user } from '../../../contracts/users.ts'
import type { Reader } from '../../kernel/authoring/reader.ts'
import { inCircle, personOf, personUntil, standing, withoutMuters } from '../../users/views.ts'
import { commentBody, ownOf, postBody } from '../views.ts'

// Events come late, twice and out of order. So every surface that tells of one asks here what of it still stands, and what each viewer may see of it now. A
// newer event that has made it untrue is told by itself.

type OfPost = { readonly postId: string }
type OfLike = OfPost & { readonly by: string }
type OfComment = { readonly comment: OfLike & { readonly commentId: string } }
type OfPair = { readonly a: string; readonly b: string; readonly by: string }
/** As much of each event's data as finds the thing that it is about. */
type Subjects = {
  'post.published': OfPost
  'post.edited': OfPost
  'post.deleted': OfPost
  'post.liked': OfLike
  'post.unliked': OfLike
  'comment.added': OfComment
  'comment.edited': OfComment
  'comment.deleted': OfComment
  'friend.requested': OfPair
  'friend.accepted': OfPair
  'friend.removed': OfPair
  'user.updated': { readonly userId: string }
}
export type SeenType = keyof Subjects
export type SeenEvent<E extends SeenType> = { readonly type: E; readonly at: string; readonly data: Subjects[E] }
/** What some viewers see of an event; those who see the same stand together. */
export type Sight<D> = { readonly to: readonly string[]; readonly data: D }
type Subject<S> = { readonly at: string; readonly data: S }
type Look<S, D> = (read: Reader, event: Subject<S>, viewers: readonly string[]) => Promise<readonly Sight<D>[]>

const sight = <D>(to: readonly string[], data: D | undefined) => (to.length > 0 && data !== undefined ? [{ to, data }] : [])

/** A person, how each of the viewers stands to them, and who of the viewers has muted them. */
const standingsTo = async (read: Reader, person: string, viewers: readonly string[]) => {
  const [of, pairs] = await Promise.all([
    read.get(user.at({ userId: person })),
    read.all(viewers.map(viewer => pair.at(pairOf(viewer, person)))),
  ])
  const between = (i: number) => pairs[i] ?? pair.initial
  return {
    of,
    stands: viewers.map((viewer, i) => standing(viewer, person, of, between(i))),
    muted: viewers.map((viewer, i) => mutedSince(between(i), viewer) !== null),
  }
}

/** A post as it is now: for those who may see it and have not muted its author, apart by what they did about it. */
const written: Look<OfPost, Post> = async (read, { data: { postId } }, viewers) => {
  const { authorId } = postKey(postId)
  const [p, author] = await Promise.all([read.get(post.at(postKey(postId))), standingsTo(read, authorId, viewers)])
  if (p.status !== 'live' || author.of.status !== 'live') return []
  const to = viewers.filter((_, i) => inCircle(author.stands[i] ?? 'hidden') && !author.muted[i])
  const [likes, pinned] = await Promise.all([
    p.likeCount === 0 ? [] : read.all(to.map(by => like.at({ postId, by }))),
    read.all(to.map(userId => pins.at({ userId }))),
  ])
  const own = to.map((_, i) => ownOf(postId, likes[i], pinned[i] ?? pins.initial))
  const who = (liked: boolean, isPinned: boolean) =>
    sight(
      to.filter((_, i) => own[i]?.liked === liked && own[i]?.pinned === isPinned),
      postBody(p, personOf(authorId, author.of), { liked, pinned: isPinned }),
    )
  return [...who(true, true), ...who(true, false), ...who(false, true), ...who(false, false)]
}

/**
 * What somebody did below a post, for those who may see both the post and the one who did it.
 * @param dataOf what there is to say; undefined if it is not so any more
 */
const below = async <D>(
  read: Reader,
  { postId, by }: OfLike,
  viewers: readonly string[],
  dataOf: (p: LivePost, who: Person) => Promise<D | undefined>,
) => {
  const { authorId } = postKey(postId)
  const [p, author, actor] = await Promise.all([
    read.get(post.at(postKey(postId))),
    standingsTo(read, authorId, viewers),
    standingsTo(read, by, viewers),
  ])
  if (p.status !== 'live' || actor.of.status !== 'live') return []
  const to = viewers.filter((_, i) => inCircle(author.stands[i] ?? 'hidden') && actor.stands[i] !== 'hidden')
  return to.length === 0 ? [] : sight(to, await dataOf(p, personOf(by, actor.of)))
}

const toggled =
  (liked: boolean): Look<OfLike, LikeEvent> =>
  (read, { data: { postId, by } }, viewers) =>
    below(read, { postId, by }, viewers, async ({ likeCount }, user) => {
      const now = await read.get(like.at({ postId, by }))
      return (now?.liked ?? false) === liked ? { postId, user, likeCount } : undefined
    })

const commented: Look<OfComment, CommentEvent> = (read, { data }, viewers) => {
  const { postId, commentId } = data.comment
  return below(read, data.comment, viewers, async ({ commentCount }, author) => {
    const now = await read.get(comment.at({ postId, commentId }))
    return now && !now.deleted ? { postId, commentCount, comment: commentBody(now, author) } : undefined
  })
}

/** Whether something that happened between two people is not older than what stands between them: they may have parted, and found together anew. */
const isOf = ({ since }: Pair, at: string) => since === null || at >= since

/** Each of two people sees the other, if it is still so between them. */
const between =
  (stillSo: (now: Pair, by: string, at: string) => boolean): Look<OfPair, PersonEvent> =>
  async (read, { at, data: { a, b, by } }, viewers) => {
    const [now, one, two] = await Promise.all([
      read.get(pair.at({ a, b })),
      read.get(user.at({ userId: a })),
      read.get(user.at({ userId: b })),
    ])
    if (!stillSo(now, by, at)) return []
    const other = (viewer: string): readonly [string, User] => (viewer === a ? [b, two] : [a, one])
    return viewers.flatMap(viewer => {
      const [id, of] = other(viewer)
      if ((viewer !== a && viewer !== b) || of.status !== 'live') return []
      // A block hides what changes after it, also from late word of it.
      const hidden = standing(viewer, id, of, now) === 'hidden'
      return [{ to: [viewer], data: { user: hidden ? personUntil(id, of, at) : personOf(id, of) } }]
    })
  }

const LOOKS: { readonly [E in SeenType]: Look<Subjects[E], StreamEvents[E]> } = {
  'post.published': written,
  'post.edited': written,
  // The id of what is gone tells nothing of it: whoever may have shown it drops it.
  'post.deleted': async (read, { data: { postId } }, viewers) => {
    const { authorId } = postKey(postId)
    return sight(await withoutMuters(read, authorId, viewers), { id: postId, authorId })
  },
  'post.liked': toggled(true),
  'post.unliked': toggled(false),
  'comment.added': commented,
  'comment.edited': commented,
  'comment.deleted': (read, { data }, viewers) =>
    below(read, data.comment, viewers, async ({ commentCount }) => {
      const { postId, commentId } = data.comment
      return { postId, commentCount, comment: commentId }
    }),
  'friend.requested': between((now, by, at) => now.requestedBy === by && isOf(now, at)),
  'friend.accepted': between((now, _, at) => now.status === 'friends' && isOf(now, at)),
  // A block ends it, too: the other one must drop it, and knew of it before.
  'friend.removed': between(now => now.status === 'none'),
  'user.updated': async (read, { data: { userId } }, viewers) => {
    const { of, stands } = await standingsTo(read, userId, viewers)
    const to = viewers.filter((_, i) => stands[i] !== 'hidden')
    return of.status === 'live' ? sight(to, { user: personOf(userId, of) }) : []
  },
}

/**
 * An event as the viewers may see it at this moment; nobody if it does not stand any more. Whom it concerns is the caller's to say: people of the post or of
 * the pair who may see a thing need not be told of it.
 */
export const asSeenBy = <E extends SeenType>(
  read: Reader,
  event: SeenEvent<E>,
  viewers: readonly string[],
): Promise<readonly Sight<StreamEvents[E]>[]> => {
  const look: Look<Subjects[E], StreamEvents[E]> = LOOKS[event.type]
  return look(read, event, viewers)
}
