import { posts } from '../../contracts/posts.ts'
import { handlers } from '../authoring/authoring.ts'

/** A deleted post is hidden at once; what lies below it is swept in pages, each asking for the next. */
export const postHandlers = handlers(posts, {
  'post.deleted': { toCommands: ({ data: { postId } }) => [{ type: 'post.sweep', data: { postId } }] },
  'post.swept': {
    toCommands: ({ data: { postId, rows, more } }) => [
      ...(more ? [{ type: 'post.sweep' as const, data: { postId } }] : []),
      ...rows.flatMap(name => {
        const [kind, userId = ''] = name.split('#')
        return kind === 'pin' ? [{ type: 'post.drop-pin' as const, data: { postId, userId } }] : []
      }),
    ],
  },
  // The post may have been deleted, and swept, while it was pinned. Asked for once more now, one of the two has seen the other.
  'post.pinned': { toCommands: ({ data }) => [{ type: 'post.drop-pin', data }] },
})
