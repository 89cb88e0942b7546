import {
  type Entry,
  entry,
  type Inbox,
  inbox,
  type ListedNotification,
  MAX_ENTRIES,
  MAX_GROUP_USERS,
  MAX_UNREAD_COUNT,
  type Notification,
  notificationIdOf,
  notifications,
  RETENTION_DAYS,
  timeOfId,
} from '../../contracts/notifications.ts'
import { type Person, pairOf } from '../../contracts/users.ts'
import { descending, fillPage, stored } from '../kernel/authoring/page.ts'
import { defineViews, type Reader } from '../kernel/authoring/reader.ts'
import { asSeenBy } from '../posts/views/as-seen-by.ts'

const DAY_MS = 24 * 3_600_000
/** Whether an entry is kept still: the store may take a while until it drops one. @param now epoch ms */
const isKept = ({ id }: Entry, now: number) => id >= notificationIdOf(new Date(now - RETENTION_DAYS * DAY_MS).toISOString(), '')
const isRead = ({ id }: Entry, { readUpTo, unread }: Inbox) => id <= readUpTo && !unread.includes(id)

type Standing = { readonly user: Person | null; readonly commentId: string | null }

/** What stands of an entry as its owner may see it now; undefined where nothing does. */
const standingOf = async (read: Reader, { userId, type, by, postId, commentIds, id }: Entry): Promise<Standing | undefined> => {
  // Moderation removed something of the owner's: that stands whatever becomes of it.
  if (type === 'content.removed') return { user: null, commentId: commentIds[0] ?? null }
  if (by === null) return undefined
  const at = timeOfId(id)
  if (type === 'friend.requested' || type === 'friend.accepted') {
    const [sight] = await asSeenBy(read, { type, at, data: { ...pairOf(userId, by), by } }, [userId])
    return sight && { user: sight.data.user, commentId: null }
  }
  if (postId === null) return undefined
  if (type === 'post.liked') {
    const [sight] = await asSeenBy(read, { type, at, data: { postId, by } }, [userId])
    return sight && { user: sight.data.user, commentId: null }
  }
  const sights = await Promise.all(
    commentIds.map(commentId => asSeenBy(read, { type, at, data: { comment: { postId, commentId, by } } }, [userId])),
  )
  const [newest] = sights.flat()
  return newest && { user: newest.data.comment.author, commentId: newest.data.comment.id }
}

/** Entries as their owner reads them, undefined where they do not stand any more. */
const shown = async (read: Reader, mine: Inbox, entries: readonly Entry[], now: number): Promise<(Notification | undefined)[]> => {
  const standing = await Promise.all(entries.map(e => (isKept(e, now) ? standingOf(read, e) : undefined)))
  return entries.map((e, i) => {
    const stands = standing[i]
    return stands && { id: e.id, type: e.type, postId: e.postId, createdAt: timeOfId(e.id), read: isRead(e, mine), ...stands }
  })
}

const newestEntries = async (read: Reader, userId: string, limit: number) =>
  (await read.range(entry, { userId }, { limit, reverse: true })).items.map(i => i.value)

/** How many notifications of a person are unread, of those that stand among the newest. @param now epoch ms */
export const unreadCountOf = async (read: Reader, userId: string, now: number): Promise<number> => {
  const [mine, newest] = await Promise.all([read.get(inbox.at({ userId })), newestEntries(read, userId, MAX_UNREAD_COUNT)])
  const unread = newest.filter(e => !isRead(e, mine))
  return (await shown(read, mine, unread, now)).filter(n => n !== undefined).length
}

/** A notification as its owner reads it now; undefined where it does not stand, or lies elsewhere by now. @param now epoch ms */
export const notificationOf = async (read: Reader, userId: string, id: string, now: number): Promise<Notification | undefined> => {
  const [mine, found] = await Promise.all([read.get(inbox.at({ userId })), read.get(entry.at({ userId, id }))])
  return found && (await shown(read, mine, [found], now))[0]
}

type Change =
  | { readonly id: string; readonly type: 'notification.created'; readonly at: string; readonly data: Notification }
  | { readonly id: string; readonly type: 'notification.read'; readonly at: string; readonly data: { readonly unreadCount: number } }

/** What changed in a person's inbox since a time and stands. @param from RFC 3339 @param now epoch ms */
export const inboxChangesSince = async (read: Reader, userId: string, from: string, now: number): Promise<readonly Change[]> => {
  const mine = await read.get(inbox.at({ userId }))
  const { changedAt, readAt, readEventId } = mine
  const entries = changedAt !== null && changedAt >= from ? await newestEntries(read, userId, MAX_ENTRIES) : []
  const changed = entries.filter(e => e.changedAt >= from)
  const standing = await shown(read, mine, changed, now)
  const created = changed.flatMap((e, i): Change[] => {
    const data = standing[i]
    return data ? [{ id: e.eventId, type: 'notification.created', at: e.changedAt, data }] : []
  })
  if (readAt === null || readEventId === null || readAt < from) return created
  return [
    ...created,
    { id: readEventId, type: 'notification.read', at: readAt, data: { unreadCount: await unreadCountOf(read, userId, now) } },
  ]
}

/** One a post and type: the newest of them, with how many they are. */
const grouped = (list: readonly Notification[]): readonly ListedNotification[] => {
  const groups = new Map<string, Notification[]>()
  for (const n of list) {
    const key = `${n.type} ${n.postId}`
    groups.set(key, [...(groups.get(key) ?? []), n])
  }
  return [...groups.values()].flatMap(members => {
    const [newest] = members
    if (newest === undefined) return []
    const users = members.flatMap(n => n.user ?? []).slice(0, MAX_GROUP_USERS)
    return [{ ...newest, read: members.every(n => n.read), count: members.length, users }]
  })
}

export const notificationViews = defineViews(notifications, {
  'notification.list': async ({ by: userId, data, now, ...page }, read) => {
    const mine = await read.get(inbox.at({ userId }))
    const wanted = (n: Notification | undefined) => (data.unread === 'true' && n?.read ? undefined : n)
    const list = async () => {
      if (data.grouped !== 'true')
        return fillPage(page, stored(read, entry, { userId }, { reverse: true }), async entries =>
          (await shown(read, mine, entries, now)).map(wanted),
        )
      const all = await shown(read, mine, await newestEntries(read, userId, MAX_ENTRIES), now)
      const groups = grouped(all.flatMap(n => wanted(n) ?? []))
      return fillPage(page, descending(groups, g => g.id).source, async found => found)
    }
    const [found, unreadCount] = await Promise.all([list(), unreadCountOf(read, userId, now)])
    return { ...found, unreadCount }
  },
})
