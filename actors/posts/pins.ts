import { isRefusal, refuse, superseded } from '../../contracts/declare/rules.ts'
import { isPinned, MAX_PINS, type Pins, pin, posts } from '../../contracts/posts.ts'
import { part, tombstoneUntil } from '../kernel/authoring/rule.ts'
import { profileRequired } from '../users/views.ts'
import { visible } from './visibility.ts'

const tooMany = refuse('pin-limit-reached', `nobody can pin more than ${MAX_PINS} posts: unpin one first`)
const without = ({ pins }: Pins, postId: string): Pins => ({ pins: pins.filter(p => p.postId !== postId) })

/** Pins are decided under the key of the person who pins: a list of ten has one order and one limit. */
export const pinning = part(posts, {
  decide: {
    'post.pin': (own, m, seen) => {
      const post = visible(seen.post, m, seen)
      if (isRefusal(post)) return post
      if (isPinned(own, post.postId) || superseded(m, seen.pin?.at)) return []
      return own.pins.length >= MAX_PINS ? tooMany : [{ type: 'post.pinned', data: { postId: post.postId, userId: m.by } }]
    },

    'post.unpin': (own, m, { me, pin }) => {
      const { postId } = m.data
      if (me.status !== 'live') return profileRequired
      return !isPinned(own, postId) || superseded(m, pin?.at) ? [] : [{ type: 'post.unpinned', data: { postId, userId: m.by } }]
    },

    'post.drop-pin': (own, { data }, { post }) =>
      post.status === 'live' || !isPinned(own, data.postId) ? [] : [{ type: 'post.unpinned', data }],
  },

  apply: {
    'post.pinned': (own, { at, data: { postId, userId } }) => ({
      state: { pins: [{ postId, at }, ...own.pins] },
      writes: [pin.put({ postId, by: userId, pinned: true, at })],
    }),
    'post.unpinned': (own, { at, data: { postId, userId } }) => ({
      state: without(own, postId),
      writes: [pin.put({ postId, by: userId, pinned: false, at }, tombstoneUntil(at))],
    }),
  },

  answer: {
    'post.pin': () => ({ status: 204, body: undefined }),
    'post.unpin': () => ({ status: 204, body: undefined }),
    'post.drop-pin': () => ({ status: 204, body: undefined }),
  },
})
