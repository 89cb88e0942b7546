import { isRefusal, refuse, superseded } from '../../contracts/declare/rules.ts'
import { comment, dayOf, type LivePost, like, pin, posts, SWEEP, slot } from '../../contracts/posts.ts'
import { mismatched, part, tombstoneUntil } from '../kernel/authoring/rule.ts'
import { personOf } from '../users/views.ts'
import { begun, freed } from './publish.ts'
import { ownOf, postBody } from './views.ts'
import { changed, visible } from './visibility.ts'

const notTheAuthor = refuse('not-the-author', 'only its author may change or delete a post')
const atVersion = ({ contentVersion }: LivePost) => refuse('version-mismatch', `the post is at version ${contentVersion}`)
const writtenAt = ({ editedAt, createdAt }: LivePost): string => editedAt ?? createdAt

/** A row as `post.swept` names it: `like#<person>`, `pin#<person>` or `comment#<id>`. */
const removal = (postId: string, name: string) => {
  const [kind, id = ''] = name.split('#')
  if (kind === 'comment') return comment.remove({ postId, commentId: id })
  return kind === 'like' ? like.remove({ postId, by: id }) : pin.remove({ postId, by: id })
}

export const writing = part(posts, {
  decide: {
    'post.edit': (state, m, seen) => {
      const post = visible(state, m, seen)
      if (isRefusal(post)) return post
      if (post.authorId !== m.by) return notTheAuthor
      if (superseded(m, writtenAt(post))) return []
      if (mismatched(m, post.contentVersion)) return atVersion(post)
      const { postId, authorId } = post
      const { title = post.title, content = post.content } = m.data
      if (title === post.title && content === post.content) return []
      return [{ type: 'post.edited', data: { postId, authorId, title, content } }]
    },

    'post.delete': (state, m, seen) => {
      const post = visible(state, m, seen)
      if (isRefusal(post)) return post
      if (post.authorId !== m.by) return notTheAuthor
      if (superseded(m, writtenAt(post))) return []
      if (mismatched(m, post.contentVersion)) return atVersion(post)
      return [{ type: 'post.deleted', data: { postId: post.postId, authorId: post.authorId } }]
    },

    'post.sweep': (post, { data: { postId } }, { likes, comments, pins }) => {
      const rows = [
        ...pins.items.map(p => `pin#${p.by}`),
        ...likes.items.map(l => `like#${l.by}`),
        ...comments.items.map(c => `comment#${c.commentId}`),
      ]
      if (post.status !== 'deleted' || rows.length === 0) return []
      const more = rows.length > SWEEP || pins.more || likes.more || comments.more
      return [{ type: 'post.swept', data: { postId, rows: rows.slice(0, SWEEP), more } }]
    },
  },

  apply: {
    'post.edited': (post, event) => {
      const { title, content } = event.data
      return {
        state: changed(post, event, p => ({
          title,
          content,
          contentVersion: p.contentVersion + 1,
          editedAt: event.at,
          contentEventId: event.id,
        })),
      }
    },

    'post.deleted': (_, event) => {
      const { postId, authorId } = event.data
      return {
        state: { status: 'deleted', postId, authorId, changedAt: event.now, eventId: event.id },
        expiresAt: tombstoneUntil(event.at),
        writes: [slot.change({ authorId }, s => freed(s, postId, event))],
      }
    },

    'post.swept': (post, { data: { postId, rows } }) => ({ state: post, writes: rows.map(name => removal(postId, name)) }),
  },

  answer: {
    'post.edit': (state, m, { me, like, pins }) => {
      const { postId, title = '', content = '' } = m.data
      // Total: a repeat may come when the post is gone, and is told of its own words.
      const gone = { postId, authorId: m.by, day: dayOf(postId), title, content, late: false, createdAt: m.at }
      const post = state.status === 'live' ? state : begun(gone, m)
      return { status: 200, body: postBody(post, personOf(m.by, me), ownOf(postId, like, pins)), version: post.contentVersion }
    },
    'post.delete': () => ({ status: 204, body: undefined }),
    'post.sweep': () => ({ status: 204, body: undefined }),
  },
})
