import { isRefusal, superseded } from '../../contracts/declare/rules.ts'
import { type Like, type Liked, type LivePost, like, type PostState, posts } from '../../contracts/posts.ts'
import { part, tombstoneUntil } from '../kernel/authoring/rule.ts'
import { changed, visible } from './visibility.ts'

/** What the count comes to with a like more or less. */
const counted = ({ postId, authorId, likeCount }: LivePost, by: string, more: 1 | -1) => ({
  postId,
  authorId,
  by,
  likeCount: likeCount + more,
})

const told = (post: PostState, own: Like | undefined): Liked => ({
  liked: own?.liked ?? false,
  likeCount: post.status === 'live' ? post.likeCount : 0,
})

export const likes = part(posts, {
  decide: {
    'post.like': (state, m, seen) => {
      const post = visible(state, m, seen)
      if (isRefusal(post)) return post
      if (seen.like?.liked || superseded(m, seen.like?.at)) return []
      return [{ type: 'post.liked', data: counted(post, m.by, 1) }]
    },

    'post.unlike': (state, m, seen) => {
      const post = visible(state, m, seen)
      if (isRefusal(post)) return post
      if (!seen.like?.liked || superseded(m, seen.like.at)) return []
      return [{ type: 'post.unliked', data: counted(post, m.by, -1) }]
    },
  },

  apply: {
    'post.liked': (post, event) => {
      const { postId, by, likeCount } = event.data
      return { state: changed(post, event, () => ({ likeCount })), writes: [like.put({ postId, by, liked: true, at: event.at })] }
    },

    'post.unliked': (post, event) => {
      const { postId, by, likeCount } = event.data
      const tombstone = like.put({ postId, by, liked: false, at: event.at }, tombstoneUntil(event.at))
      return { state: changed(post, event, () => ({ likeCount })), writes: [tombstone] }
    },
  },

  answer: {
    'post.like': (post, _, { like }) => ({ status: 200, body: told(post, like) }),
    'post.unlike': (post, _, { like }) => ({ status: 200, body: told(post, like) }),
  },
})
