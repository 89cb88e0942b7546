import { commandOf, refuse, superseded } from '../../contracts/declare/rules.ts'
import {
  dayOf,
  type LivePost,
  type Publication,
  post,
  postIdOf,
  postKey,
  posts,
  REMEMBERED_DAYS,
  type Slot,
} from '../../contracts/posts.ts'
import type { User } from '../../contracts/users.ts'
import { part } from '../kernel/authoring/rule.ts'
import { localDay } from '../kernel/ports/clock/local.ts'
import { personOf, profileRequired } from '../users/views.ts'
import { postBody } from './views.ts'

/** The author's date and its end, by the calendar at home when they published. */
const dayAtHome = (me: User, at: string) => localDay(me.status === 'live' ? me.profile.timeZone : 'UTC', at)

/** A post as it begins: nobody liked it, nobody said anything yet. */
export const begun = (p: Publication, { id, at }: { id: string; at: string }): LivePost => ({
  status: 'live',
  ...p,
  likeCount: 0,
  commentCount: 0,
  contentVersion: 1,
  editedAt: null,
  changedAt: at,
  eventId: id,
  contentEventId: id,
})

/** A slot without a post that was deleted: its day is free again, but its serial, and so its id, never comes back. */
export const freed = (slot: Slot, postId: string, { id, now }: { id: string; now: string }): Slot => ({
  ...slot,
  days: slot.days.filter(day => day !== dayOf(postId)),
  current: slot.current?.postId === postId ? null : slot.current,
  lastDeletion: { postId, at: now, eventId: id },
})

export const publishing = part(posts, {
  decide: {
    'post.publish': (slot, m, { me }) => {
      if (me.status !== 'live') return profileRequired
      if (slot.command === m.id) return []
      const { day, endsAt } = dayAtHome(me, m.at)
      const [last] = slot.days
      if (last !== undefined && last >= day)
        return refuse('already-posted-today', `your post of ${last} stands; where you live it is ${day} until ${endsAt}`)
      if (superseded(m, slot.lastDeletion?.at)) return refuse('already-posted-today', 'you deleted a post since you sent this one')
      const postId = postIdOf(m.by, day, slot.serial + 1)
      return [
        {
          type: 'post.published',
          data: { postId, authorId: m.by, day, ...m.data, late: false, createdAt: m.at, expiresAt: endsAt },
        },
      ]
    },
  },

  apply: {
    'post.published': (slot, event) => {
      const { expiresAt, ...publication } = event.data
      const { postId, day, createdAt } = publication
      return {
        state: {
          ...slot,
          days: [day, ...slot.days].slice(0, REMEMBERED_DAYS),
          serial: slot.serial + 1,
          current: { postId, createdAt, expiresAt },
          command: commandOf(event.id),
        },
        writes: [post.create(postKey(postId), begun(publication, { id: event.id, at: event.now }))],
      }
    },
  },

  answer: {
    'post.publish': (slot, m, { me }) => {
      const postId = slot.current?.postId ?? postIdOf(m.by, dayAtHome(me, m.at).day, slot.serial)
      const published = begun({ postId, authorId: m.by, day: dayOf(postId), ...m.data, late: false, createdAt: m.at }, m)
      return {
        status: 201,
        body: postBody(published, personOf(m.by, me), { liked: false, pinned: false }),
        version: published.contentVersion,
      }
    },
  },
})
