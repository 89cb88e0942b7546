import { type LivePost, type PostState, postKey } from '../../contracts/posts.ts'
import type { Pair, User } from '../../contracts/users.ts'
import { inCircle, profileRequired, standing } from '../users/views.ts'
import { noSuchPost } from './views.ts'

/** Who acts on which post, and what is loaded of the people concerned. */
type Act = { readonly by: string; readonly data: { readonly postId: string } }
type People = { readonly me: User; readonly author: User; readonly pair: Pair }

/** The post, if the one who acts has a profile and may see it; otherwise why not. */
export const visible = (post: PostState, m: Act, { me, author, pair }: People) => {
  const { authorId } = postKey(m.data.postId)
  if (me.status !== 'live') return profileRequired
  if (post.status !== 'live' || !inCircle(standing(m.by, authorId, author, pair))) return noSuchPost
  return post
}

/** A post with what an event changes of it. Total: such events are decided of living posts only. */
export const changed = (
  post: PostState,
  { id, now }: { readonly id: string; readonly now: string },
  change: (post: LivePost) => Partial<LivePost>,
): PostState => (post.status === 'live' ? { ...post, ...change(post), changedAt: now, eventId: id } : post)
