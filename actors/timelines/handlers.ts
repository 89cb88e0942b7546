import { comment, like, post, postKey } from '../../contracts/posts.ts'
import type { StreamEvents } from '../../contracts/stream.ts'
import { timelines } from '../../contracts/timelines.ts'
import { type Pair, type Person, pair, pairOf, user } from '../../contracts/users.ts'
import { type EventOf, handlers } from '../authoring/authoring.ts'
import type { EffectContext } from '../kernel/authoring/handlers.ts'
import type { Reader } from '../kernel/authoring/reader.ts'
import { commentBody, postForEach } from '../posts/views.ts'
import { friendsOf, inCircle, personOf, personUntil, standing, withoutMuters } from '../users/views.ts'
import { tellOnline } from './telling.ts'

// Events come late, twice and out of order. So each is told as things stand now, to those who may see them now, and not at all when a newer event
// has made it untrue: that one is told by itself.

const circle = async (read: Reader, person: string) => [person, ...(await friendsOf(read, person))]

/** The post as it is now, to its author and those of their friends who have not muted them. */
const written = {
  effect: async (event: EventOf<'post.published' | 'post.edited'>, context: EffectContext) => {
    const { postId, authorId } = event.data
    await tellOnline(context, event, await circle(context.read, authorId), async online =>
      (await postForEach(context.read, await withoutMuters(context.read, authorId, online), postId)).map(({ to, post }) => ({
        to,
        data: post,
      })),
    )
  },
}

/**
 * What somebody did below a post, to its author and to them: each if they may see the post and the one who did it.
 * @param say what there is to say; undefined if it is not so any more
 */
const below = async <E extends 'post.liked' | 'post.unliked' | 'comment.added' | 'comment.edited' | 'comment.deleted'>(
  event: EventOf<E>,
  context: EffectContext,
  { postId, by }: { postId: string; by: string },
  say: (counts: { likeCount: number; commentCount: number }, who: Person) => Promise<StreamEvents[E] | undefined>,
) => {
  const { read } = context
  const { authorId } = postKey(postId)
  await tellOnline(context, event, [authorId, by], async online => {
    const [p, author, actor, between] = await Promise.all([
      read.get(post.at(postKey(postId))),
      read.get(user.at({ userId: authorId })),
      read.get(user.at({ userId: by })),
      read.get(pair.at(pairOf(authorId, by))),
    ])
    if (p.status !== 'live' || actor.status !== 'live') return []
    const to = online.filter(
      viewer => inCircle(standing(viewer, authorId, author, between)) && standing(viewer, by, actor, between) !== 'hidden',
    )
    const data = to.length > 0 ? await say(p, personOf(by, actor)) : undefined
    return data === undefined ? [] : [{ to, data }]
  })
}

const toggled = (liked: boolean) => ({
  effect: async (event: EventOf<'post.liked' | 'post.unliked'>, context: EffectContext) => {
    const { postId, by } = event.data
    await below(event, context, { postId, by }, async ({ likeCount }, user) => {
      const now = await context.read.get(like.at({ postId, by }))
      return (now?.liked ?? false) === liked ? { postId, user, likeCount } : undefined
    })
  },
})

const commented = {
  effect: async (event: EventOf<'comment.added' | 'comment.edited'>, context: EffectContext) => {
    const { postId, commentId, by } = event.data.comment
    await below(event, context, { postId, by }, async ({ commentCount }, author) => {
      const now = await context.read.get(comment.at({ postId, commentId }))
      return now && !now.deleted ? { postId, commentCount, comment: commentBody(now, author) } : undefined
    })
  },
}

/** Each of two people is told of the other, if it is still so between them. */
const between = (stillSo: (pair: Pair, by: string) => boolean) => ({
  effect: async (event: EventOf<'friend.requested' | 'friend.accepted' | 'friend.removed'>, context: EffectContext) => {
    const { a, b, by } = event.data
    await tellOnline(context, event, [a, b], async online => {
      const { read } = context
      const [now, one, two] = await Promise.all([
        read.get(pair.at({ a, b })),
        read.get(user.at({ userId: a })),
        read.get(user.at({ userId: b })),
      ])
      if (!stillSo(now, by)) return []
      return online.flatMap(viewer => {
        const [id, of] = viewer === a ? [b, two] : [a, one]
        // A block hides what changes after it, also from late word of it.
        const hidden = standing(viewer, id, of, now) === 'hidden'
        return of.status === 'live' ? [{ to: [viewer], data: { user: hidden ? personUntil(id, of, event.at) : personOf(id, of) } }] : []
      })
    })
  },
})

export const timelineHandlers = handlers(timelines, {
  'post.published': written,
  'post.edited': written,
  'post.deleted': {
    effect: async (event, context) => {
      const { postId, authorId } = event.data
      await tellOnline(context, event, await circle(context.read, authorId), async online => [
        { to: await withoutMuters(context.read, authorId, online), data: { id: postId, authorId } },
      ])
    },
  },

  'post.liked': toggled(true),
  'post.unliked': toggled(false),

  'comment.added': commented,
  'comment.edited': commented,
  'comment.deleted': {
    effect: async (event, context) => {
      const { postId, commentId, by } = event.data.comment
      await below(event, context, { postId, by }, async ({ commentCount }) => ({ postId, commentCount, comment: commentId }))
    },
  },

  'friend.requested': between((now, by) => now.requestedBy === by),
  'friend.accepted': between(now => now.status === 'friends'),
  // Also when a block ended it: the other one must drop it, too, and knew of it before.
  'friend.removed': between(now => now.status === 'none'),

  'user.updated': {
    effect: async (event, context) => {
      const { userId } = event.data
      await tellOnline(context, event, await circle(context.read, userId), async to => {
        const now = await context.read.get(user.at({ userId }))
        return now.status === 'live' ? [{ to, data: { user: personOf(userId, now) } }] : []
      })
    },
  },
})
