import { posts } from '../../contracts/posts.ts'
import { hearings } from '../kernel/authoring/handlers.ts'

/** A deleted post is hidden at once; what lies below it is swept in pages, each asking for the next. */
export default hearings(posts, {
  'post.deleted': { tell: ({ data: { postId } }) => [{ type: 'post.sweep', data: { postId } }] },
  'post.swept': { tell: ({ data: { postId, more } }) => (more ? [{ type: 'post.sweep', data: { postId } }] : []) },
})
