import { isRefusal, refuse, superseded } from '../../contracts/declare/rules.ts'
import { type CommentRow, comment, commentIdOf, type PostState, posts } from '../../contracts/posts.ts'
import type { Pair, User } from '../../contracts/users.ts'
import { part, tombstoneUntil } from '../kernel/authoring/rule.ts'
import { personOf } from '../users/views.ts'
import { commentBody, noSuchComment } from './views.ts'
import { changed, visible } from './visibility.ts'

type Act = { readonly by: string; readonly data: { readonly postId: string } }
type Seen = {
  readonly me: User
  readonly author: User
  readonly pair: Pair
  readonly comment: CommentRow | undefined
  readonly commenter: Pair
}

/** The comment and its post, if the one who acts may see them; otherwise why not. `commenter` is how they stand to the comment's author. */
const seenComment = (state: PostState, m: Act, seen: Seen) => {
  const post = visible(state, m, seen)
  if (isRefusal(post)) return post
  const { comment, commenter } = seen
  if (comment === undefined || comment.deleted || commenter.blockedBy.length > 0) return noSuchComment
  return { post, comment }
}

/** A comment as it is added. Its id comes of its command's, so adding it twice is adding it once. */
const said = (m: Act & { readonly id: string; readonly at: string; readonly data: { readonly content: string } }): CommentRow => ({
  postId: m.data.postId,
  commentId: commentIdOf(m.id, m.by),
  by: m.by,
  content: m.data.content,
  createdAt: m.at,
  editedAt: null,
  changedAt: m.at,
  deleted: false,
})

export const comments = part(posts, {
  decide: {
    'comment.add': (state, m, seen) => {
      const post = visible(state, m, seen)
      if (isRefusal(post)) return post
      if (seen.comment !== undefined) return []
      return [{ type: 'comment.added', data: { authorId: post.authorId, comment: said(m), commentCount: post.commentCount + 1 } }]
    },

    'comment.edit': (state, m, seen) => {
      const found = seenComment(state, m, seen)
      if (isRefusal(found)) return found
      const { post, comment } = found
      if (comment.by !== m.by) return refuse('not-the-author', 'only its author may change a comment')
      const { content = comment.content } = m.data
      if (content === comment.content || superseded(m, comment.changedAt)) return []
      const changedComment = { ...comment, content, editedAt: m.at, changedAt: m.at }
      return [{ type: 'comment.edited', data: { authorId: post.authorId, comment: changedComment, commentCount: post.commentCount } }]
    },

    'comment.delete': (state, m, seen) => {
      const found = seenComment(state, m, seen)
      if (isRefusal(found)) return found
      const { post, comment } = found
      if (comment.by !== m.by && post.authorId !== m.by)
        return refuse('not-the-author', 'only its author and the post’s author may delete a comment')
      if (superseded(m, comment.changedAt)) return []
      const gone = { ...comment, content: '', changedAt: m.at, deleted: true }
      return [{ type: 'comment.deleted', data: { authorId: post.authorId, comment: gone, commentCount: post.commentCount - 1 } }]
    },
  },

  apply: {
    'comment.added': (post, event) => ({
      state: changed(post, event, () => ({ commentCount: event.data.commentCount })),
      writes: [comment.put(event.data.comment)],
    }),
    'comment.edited': (post, event) => ({ state: post, writes: [comment.put(event.data.comment)] }),
    'comment.deleted': (post, event) => ({
      state: changed(post, event, () => ({ commentCount: event.data.commentCount })),
      writes: [comment.put(event.data.comment, tombstoneUntil(event.at))],
    }),
  },

  answer: {
    'comment.add': (_, m, { me, comment }) => ({ status: 201, body: commentBody(comment ?? said(m), personOf(m.by, me)) }),
    'comment.edit': (_, m, { me, comment }) => {
      // Total: a repeat may come when the comment is gone, and is told of its own words.
      const { content = '' } = m.data
      const gone = { ...said({ ...m, data: { postId: m.data.postId, content } }), commentId: m.data.commentId }
      return { status: 200, body: commentBody(comment ?? gone, personOf(m.by, me)) }
    },
    'comment.delete': () => ({ status: 204, body: undefined }),
  },
})
