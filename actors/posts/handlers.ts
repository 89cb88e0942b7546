import { posts } from '../../contracts/posts.ts'
import { handlers } from '../authoring/authoring.ts'

/** A deleted post is hidden at once; what lies below it is swept in pages, each asking for the next. */
export const postHandlers = handlers(posts, {
  'post.deleted': { toCommands: ({ data: { postId } }) => [{ type: 'post.sweep', data: { postId } }] },
  'post.swept': { toCommands: ({ data: { postId, more } }) => (more ? [{ type: 'post.sweep', data: { postId } }] : []) },
})
