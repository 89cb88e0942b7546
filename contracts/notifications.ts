import { z } from 'zod'
import { base64Url } from './declare/base64.ts'
import { actor, command, fact, problem, query } from './declare/messages.ts'
import { row, state } from './declare/records.ts'
import { sha256 } from './declare/sha256.ts'
import { Day, Time, UserId, word } from './declare/text.ts'
import { CommentId, PostId } from './posts.ts'
import { Person, user } from './users.ts'

// ── What clients see ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const NotificationType = z.enum(['friend.requested', 'friend.accepted', 'post.liked', 'comment.added', 'content.removed'])
export type NotificationType = z.infer<typeof NotificationType>

const ID_FORM = /^\d{17}\.[\w-]{16}$/
const NotificationId = word(34, ID_FORM, 'is no id of a notification', { examples: ['20261120120000000.AAAAAAAAAAAAAAAA'] })

export const Notification = z
  .object({
    id: z.string(),
    type: NotificationType,
    user: Person.nullable().meta({ description: 'the person who acted; null for `content.removed`' }),
    postId: z.string().nullable(),
    commentId: z.string().nullable().meta({ description: 'the newest comment of that person below the post that still stands' }),
    createdAt: Time.meta({ description: 'when that person last did it' }),
    read: z.boolean(),
  })
  .meta({
    id: 'Notification',
    description: 'an entry of the inbox: one a post, type and person. Who does it again has the entry come again, under a new `id`',
    examples: [
      {
        id: '20261120120000000.AAAAAAAAAAAAAAAA',
        type: 'friend.requested',
        user: { id: 'bbbbbbbb-0000-4000-8000-000000000002', firstName: 'Bob', lastName: 'Example', avatar: null },
        postId: null,
        commentId: null,
        createdAt: '2026-11-20T12:00:00.000Z',
        read: false,
      },
    ],
  })
export type Notification = z.infer<typeof Notification>

export const MAX_GROUP_USERS = 3
export const ListedNotification = Notification.extend({
  count: z.int().optional().meta({ description: 'with `grouped=true`: how many people it stands for' }),
  users: z.array(Person).max(MAX_GROUP_USERS).optional().meta({ description: 'with `grouped=true`: the newest three of them' }),
}).meta({ id: 'ListedNotification' })
export type ListedNotification = z.infer<typeof ListedNotification>

/** An unread count stops here: it means so many or more. */
export const MAX_UNREAD_COUNT = 100
const unreadCount = z
  .int()
  .max(MAX_UNREAD_COUNT)
  .meta({ description: 'how many are unread of what stands among the newest 100; 100 means 100 or more', examples: [3] })
export const UnreadCount = z.object({ unreadCount }).meta({ id: 'UnreadCount' })

// ── What is stored ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const table = 'notifications'
export const RETENTION_DAYS = 90
/** The entries that a person's inbox keeps at most; beyond them the oldest go. */
export const MAX_ENTRIES = 500
/** The last doings of one person about one thing that an entry remembers: should the newest be undone, the one before it stands. */
export const MAX_DOINGS = 8

type Subject = { readonly type: string; readonly by: string | null; readonly postId: string | null }
/** What there is one entry of: a post, a type and a person. */
export const subjectOf = ({ type, by, postId }: Subject): string => base64Url(sha256(`${type} ${postId} ${by}`).subarray(0, 12))
/** An entry's id, opaque to clients: the time of what it tells of, which is its place in the inbox, and its subject. @param at RFC 3339 */
export const notificationIdOf = (at: string, subject: string): string => `${at.replace(/\D/g, '')}.${subject}`
/** When what a notification tells of was done (RFC 3339). */
export const timeOfId = (id: string): string =>
  id.slice(0, 17).replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})$/, '$1-$2-$3T$4:$5:$6.$7Z')
const subjectOfId = (id: string): string => id.slice(id.indexOf('.') + 1)

/**
 * A person's inbox. Everything up to `readUpTo` is read but for what came late and stands in `unread`, the newest ids that are unread. `perDay` counts the
 * entries by the day of what they tell of: rows go by themselves after 90 days, and no turn sees them go. Entries up to `keptFrom` were pushed out.
 */
export const Inbox = z.object({
  readUpTo: z.string(),
  unread: z.array(z.string()).max(MAX_UNREAD_COUNT),
  perDay: z.record(Day, z.int()),
  keptFrom: z.string(),
  changedAt: Time.nullable(),
  readAt: Time.nullable(),
  readEventId: z.string().nullable(),
})
export type Inbox = z.infer<typeof Inbox>
export const inbox = state({
  table,
  pk: 'user#{userId}',
  sk: 'inbox',
  subject: 'userId',
  value: Inbox,
  initial: { readUpTo: '', unread: [], perDay: {}, keptFrom: '', changedAt: null, readAt: null, readEventId: null },
})

const Doing = z.object({ id: z.string(), commentId: z.string().nullable() })
export type Doing = z.infer<typeof Doing>
const what = { userId: UserId, type: NotificationType, by: UserId.nullable(), postId: z.string().nullable() }

/** An entry in the order of time: a reference to what it tells of, never its words. `commentIds` are newest first. */
export const Entry = z.object({
  ...what,
  id: z.string(),
  commentIds: z.array(z.string()).max(MAX_DOINGS),
  changedAt: Time,
  eventId: z.string(),
})
export type Entry = z.infer<typeof Entry>
export const entry = row({ table, pk: 'user#{userId}', sk: 'entry#{id}', subject: 'userId', value: Entry })

/** What was done about a subject, newest first: the first is where its entry lies. Each of these ids was given out. */
export const Doings = z.object({ userId: UserId, subject: z.string(), doings: z.array(Doing).max(MAX_DOINGS) })
export type Doings = z.infer<typeof Doings>
export const doings = row({ table, pk: 'user#{userId}', sk: 'subject#{subject}', subject: 'userId', value: Doings })

// ── What is said ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Above the messages of one turn, each of which may push out an entry. */
const OLDEST_ENTRIES = 20

export const notifications = actor('notifications', {
  records: { inbox, entry, doings },
  refusals: {
    'profile-required': problem(409, 'A profile is needed first'),
    'validation-failed': problem(422, 'The request has invalid fields'),
  },
  events: {
    'notification.created': fact(
      inbox,
      z.object({
        ...what,
        subject: z.string(),
        doings: z.array(Doing).max(MAX_DOINGS),
        id: z.string().meta({ description: 'the entry as it lies now' }),
        from: z.string().nullable().meta({ description: 'where the entry lay until now' }),
        out: z.array(z.string()).meta({ description: 'entries that are pushed out' }),
      }),
    ),
    'notification.read': fact(inbox, z.object({ userId: UserId, upTo: z.string() })),
  },
  commands: {
    'notification.add': command(inbox, {
      who: 'mesh',
      summary: 'Puts what somebody did into the inbox of the one whom it concerns',
      data: z.object({
        userId: UserId,
        type: NotificationType,
        by: UserId.nullable(),
        postId: PostId.nullable(),
        commentId: CommentId.nullable(),
      }),
      answer: { 204: z.undefined() },
      refuses: [],
      key: m => ({ userId: m.data.userId }),
      loads: m => ({
        known: doings.at({ userId: m.data.userId, subject: subjectOf(m.data) }),
        oldest: entry.page({ userId: m.data.userId }, OLDEST_ENTRIES),
      }),
    }),
    'notification.read': command(inbox, {
      http: 'POST /v1/notifications/read',
      who: 'recipient',
      summary: 'Mark a notification, and all that are older, as read',
      data: z.object({ upTo: NotificationId }),
      answer: { 200: UnreadCount },
      refuses: ['validation-failed', 'profile-required'],
      key: m => ({ userId: m.by }),
      loads: m => ({ me: user.at({ userId: m.by }), known: doings.at({ userId: m.by, subject: subjectOfId(m.data.upTo) }) }),
    }),
  },
  queries: {
    'notification.list': query({
      http: 'GET /v1/notifications',
      who: 'signed-in',
      summary: 'What others did that concerns you and still stands, newest first, for 90 days',
      data: z.object({
        unread: z.enum(['true', 'false']).optional().meta({ description: '`true` leaves out what is read' }),
        grouped: z
          .enum(['true', 'false'])
          .optional()
          .meta({ description: '`true`: one entry a post and type, as its newest, with `count` and `users`; `read` when all of it is' }),
      }),
      answer: ListedNotification,
      list: true,
      refuses: [],
      extra: { unreadCount },
    }),
  },
  subscribes: ['friend.requested', 'friend.accepted', 'post.liked', 'comment.added'],
})
