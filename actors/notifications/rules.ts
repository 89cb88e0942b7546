import { refuse, rules } from '../../contracts/declare/rules.ts'
import {
  type Doing,
  doings,
  entry,
  type Inbox,
  MAX_DOINGS,
  MAX_ENTRIES,
  MAX_UNREAD_COUNT,
  notificationIdOf,
  notifications,
  RETENTION_DAYS,
  subjectOf,
  timeOfId,
} from '../../contracts/notifications.ts'
import { profileRequired } from '../users/views.ts'

const DAY_MS = 24 * 3_600_000
const dayOf = (at: string) => at.slice(0, 10)
const dayOfId = (id: string) => dayOf(timeOfId(id))
/** The first day of which an inbox still has entries. @param at RFC 3339 */
const firstDay = (at: string) => dayOf(new Date(Date.parse(at) - RETENTION_DAYS * DAY_MS).toISOString())

const newestFirst = (x: Doing, y: Doing) => (x.id < y.id ? 1 : x.id > y.id ? -1 : (x.commentId ?? '') < (y.commentId ?? '') ? 1 : -1)

type Days = Inbox['perDay']
/** Counts of entries with those that came and went, without days that are over. */
const counted = (perDay: Days, came: readonly string[], went: readonly string[], first: string): Days => {
  const days = new Map(Object.entries(perDay))
  const add = (id: string, by: number) => days.set(dayOfId(id), (days.get(dayOfId(id)) ?? 0) + by)
  for (const id of came) add(id, 1)
  for (const id of went) add(id, -1)
  return Object.fromEntries([...days].filter(([day, count]) => day >= first && count > 0))
}
const sum = (perDay: Days, first: string) => Object.entries(perDay).reduce((n, [day, count]) => (day >= first ? n + count : n), 0)

/** How many are unread as far as the inbox knows; views look at what of it stands. @param at RFC 3339 */
const unreadCount = ({ unread }: Inbox, at: string) => {
  const first = firstDay(at)
  return unread.filter(id => dayOfId(id) >= first).length
}

const newestOf = (...ids: readonly string[]) => ids.toSorted().at(-1) ?? ''

const neverGivenOut = refuse('validation-failed', 'no notification was given out under this id: name one of GET /v1/notifications', [
  { pointer: '/upTo', message: 'is no id of a notification of yours' },
])

export const notificationRules = rules(notifications, {
  decide: {
    'notification.add': (inbox, { at, data: { commentId, ...what } }, { known, oldest }) => {
      const subject = subjectOf(what)
      const doing = { id: notificationIdOf(at, subject), commentId }
      const before = known?.doings ?? []
      const isRepeat = before.some(d => d.id === doing.id && d.commentId === commentId)
      if (doing.id <= inbox.keptFrom || isRepeat) return []
      const after = [...before, doing].sort(newestFirst).slice(0, MAX_DOINGS)
      const [newest] = after
      if (newest === undefined || !after.includes(doing)) return []
      const from = before[0] !== undefined && before[0].id > inbox.keptFrom ? before[0].id : null
      const isFull = from === null && sum(inbox.perDay, firstDay(at)) >= MAX_ENTRIES
      const [last] = isFull ? oldest.items.filter(e => e.id > inbox.keptFrom) : []
      // An inbox that is full takes nothing that is older than all of it.
      if (last && last.id >= newest.id) return []
      const data = { ...what, subject, doings: after, id: newest.id, from, out: last ? [last.id] : [] }
      return [{ type: 'notification.created', data }]
    },

    'notification.read': (inbox, m, { me, known }) => {
      if (me.status !== 'live') return profileRequired
      const { upTo } = m.data
      if (!known?.doings.some(d => d.id === upTo)) return neverGivenOut
      if (upTo <= inbox.readUpTo && !inbox.unread.some(id => id <= upTo)) return []
      return [{ type: 'notification.read', data: { userId: m.by, upTo } }]
    },
  },

  apply: {
    'notification.created': (inbox, { id: eventId, at, now, data }) => {
      const { userId, subject, type, by, postId, doings: done, id, from, out } = data
      const expiresAt = Math.floor((Date.parse(timeOfId(id)) + RETENTION_DAYS * DAY_MS) / 1000)
      const commentIds = done.flatMap(d => d.commentId ?? [])
      // Where an older doing came late, the entry stays in its place, and as read as it was.
      const moves = from !== id
      const unread = moves ? [...inbox.unread.filter(u => u !== from && !out.includes(u)), id] : inbox.unread
      const put = entry.put({ userId, type, by, postId, id, commentIds, changedAt: now, eventId }, expiresAt)
      return {
        state: {
          ...inbox,
          unread: unread.toSorted().reverse().slice(0, MAX_UNREAD_COUNT),
          perDay: counted(inbox.perDay, moves ? [id] : [], moves && from !== null ? [from, ...out] : out, firstDay(at)),
          keptFrom: newestOf(inbox.keptFrom, ...out),
          changedAt: now,
        },
        writes: [
          ...(moves && from !== null ? [entry.remove({ userId, id: from })] : []),
          ...out.map(gone => entry.remove({ userId, id: gone })),
          put,
          doings.put({ userId, subject, doings: done }, expiresAt),
        ],
      }
    },
    'notification.read': (inbox, { id: readEventId, now, data: { upTo } }) => ({
      state: {
        ...inbox,
        readUpTo: newestOf(upTo, inbox.readUpTo),
        unread: inbox.unread.filter(id => id > upTo),
        readAt: now,
        readEventId,
      },
    }),
  },

  answer: {
    'notification.add': () => ({ status: 204, body: undefined }) as const,
    'notification.read': (inbox, m) => ({ status: 200, body: { unreadCount: unreadCount(inbox, m.at) } }) as const,
  },
})
