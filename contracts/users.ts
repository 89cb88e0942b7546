import { z } from 'zod'
import {
  career,
  Education,
  EducationDraft,
  EducationId,
  EducationRow,
  education,
  Job,
  JobDraft,
  JobId,
  JobRow,
  job,
  removedEntry,
} from './career.ts'
import { isWellFormed } from './declare/characters.ts'
import { isLanguage } from './declare/language.ts'
import { actor, command, fact, problem, query, snapshot } from './declare/messages.ts'
import { counter, row, state } from './declare/records.ts'
import { Day, GivenDay, line, Time, text, UserId, word } from './declare/text.ts'
import { isZone } from './declare/time-zone.ts'
// ── What clients see ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export const Avatar = z.object({ small: z.url(), large: z.url() })
/** A person in lists and references, always current. */
export const Person = z
  .object({ id: UserId, firstName: z.string(), lastName: z.string(), avatar: Avatar.nullable() })
  .meta({ id: 'Person' })
export type Person = z.infer<typeof Person>

/** How the caller stands to a person. */
export const Relation = z.enum(['self', 'friend', 'incoming', 'outgoing', 'none'])

export const Profile = Person.extend({
  headline: z.string(),
  bio: z.string(),
  location: z.string(),
  birthday: Day.nullable(),
  timeZone: z.string(),
  language: z.string(),
  friendCount: z.int(),
  relation: Relation,
  createdAt: Time,
  email: z.string().nullable().optional().meta({ description: 'for its owner only' }),
}).meta({ id: 'Profile' })
export type Profile = z.infer<typeof Profile>

const fields = {
  firstName: line(1, 80),
  lastName: line(1, 80),
  headline: line(0, 160),
  bio: text(0, 2000),
  location: line(0, 120),
  birthday: GivenDay,
  timeZone: word(64, isZone, 'must be an IANA time zone such as Europe/Berlin'),
  language: word(35, isLanguage, 'must be a BCP 47 language tag such as en or de-CH, of at most 35 characters'),
}
/** What a part of the profile is while nobody said otherwise. */
export const DEFAULTS = { headline: '', bio: '', location: '', birthday: null, timeZone: 'UTC', language: 'en' } as const
/** The whole profile; what is left out takes its default. */
export const ProfileDraft = z.object({
  firstName: fields.firstName,
  lastName: fields.lastName,
  headline: fields.headline.nullish().transform(x => x ?? DEFAULTS.headline),
  bio: fields.bio.nullish().transform(x => x ?? DEFAULTS.bio),
  location: fields.location.nullish().transform(x => x ?? DEFAULTS.location),
  birthday: fields.birthday.nullish().transform(x => x ?? DEFAULTS.birthday),
  timeZone: fields.timeZone.nullish().transform(x => x ?? DEFAULTS.timeZone),
  language: fields.language.nullish().transform(x => x ?? DEFAULTS.language),
})
export type ProfileDraft = z.infer<typeof ProfileDraft>
/** A merge patch (RFC 7396): what is left out stays, `null` goes back to the default. */
export const ProfilePatch = z.object({
  firstName: fields.firstName.optional(),
  lastName: fields.lastName.optional(),
  headline: fields.headline.nullable().optional(),
  bio: fields.bio.nullable().optional(),
  location: fields.location.nullable().optional(),
  birthday: fields.birthday.nullable().optional(),
  timeZone: fields.timeZone.nullable().optional(),
  language: fields.language.nullable().optional(),
})
export type ProfilePatch = z.infer<typeof ProfilePatch>

export const FriendRequest = z.object({ user: Person, createdAt: Time }).meta({ id: 'FriendRequest' })

// ── What is stored ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const table = 'users'
const content = z.object({
  firstName: z.string(),
  lastName: z.string(),
  headline: z.string(),
  bio: z.string(),
  location: z.string(),
  birthday: Day.nullable(),
  timeZone: z.string(),
  language: z.string(),
})
export const ProfileContent = content
export type ProfileContent = z.infer<typeof content>

/** The forms that a person is found by, and which folding they came of; absent in what was written before there was a search. */
const NameForms = z.object({ folding: z.int(), forms: z.array(z.string()) })
/** A row a form: `head` is the beginning that everybody who asks for it must know. */
const NameEntry = z.object({ head: z.string(), form: z.string(), userId: UserId })
export const nameEntry = row({ table, pk: 'name#{head}', sk: 'form#{form}#{userId}', subject: 'userId', value: NameEntry })

/**
 * A person: unknown, signed up, or with a profile. `contentVersion` counts the changes of the content, `createdBy` is the command that began it,
 * `changedAt` and `eventId` belong to its last change.
 */
export const User = z.discriminatedUnion('status', [
  z.object({ status: z.literal('none') }),
  z.object({ status: z.literal('registered'), userId: UserId, email: z.string().nullable() }),
  z.object({
    status: z.literal('live'),
    userId: UserId,
    email: z.string().nullable(),
    profile: content,
    contentVersion: z.int(),
    createdAt: Time,
    createdBy: z.string(),
    changedAt: Time,
    eventId: z.string(),
    names: NameForms.optional(),
  }),
])
export type User = z.infer<typeof User>
export type LiveUser = Extract<User, { status: 'live' }>
export const user = state({ table, pk: 'user#{userId}', sk: 'state', subject: 'userId', value: User, initial: { status: 'none' } })

/**
 * Two people, `a` < `b`: the truth about requests, friendship and blocks between them. `requestedBy` is set while `pending`,
 * `blockedBy` names those of the two who block the other. `command` is the one that opened the last request: a repeat of it is told of it alike,
 * whatever became of the request since. `mutes` has, of each who ever muted the other, whether they still do and since when; no other field tells of it.
 */
export const Pair = z.object({
  status: z.enum(['none', 'pending', 'friends']),
  requestedBy: UserId.nullable(),
  blockedBy: z.array(UserId),
  since: Time.nullable(),
  changedAt: Time.nullable(),
  command: z.string().nullable(),
  mutes: z.array(z.object({ by: UserId, muted: z.boolean(), at: Time })).default([]),
})
export type Pair = z.infer<typeof Pair>
export const pair = state({
  table,
  pk: 'pair#{a}#{b}',
  sk: 'state',
  subject: ['a', 'b'],
  value: Pair,
  initial: { status: 'none', requestedBy: null, blockedBy: [], since: null, changedAt: null, command: null, mutes: [] },
})
/** The key of two people, whoever asks. */
export const pairOf = (x: string, y: string) => (x < y ? { a: x, b: y } : { a: y, b: x })

/** Since when `who` has muted the other of a pair; null if they do not. */
export const mutedSince = ({ mutes }: Pair, who: string): string | null => mutes.find(m => m.by === who && m.muted)?.at ?? null

/**
 * One row of a person's circle: how `userId` stands to `other`. `none` is the tombstone that a resuming client needs to hear of, or the row of somebody who
 * is nothing to them but muted. `mutedAt` is since when `userId` has muted `other`, whatever else they are.
 */
export const CircleEntry = z.object({
  userId: UserId,
  other: UserId,
  relation: z.enum(['friend', 'incoming', 'outgoing', 'blocked', 'none']),
  since: Time,
  changedAt: Time,
  eventId: z.string(),
  mutedAt: Time.nullable().default(null),
})
export type CircleEntry = z.infer<typeof CircleEntry>
export const circle = row({ table, pk: 'user#{userId}', sk: 'circle#{other}', subject: 'userId', value: CircleEntry })

/** How many of each a person has; the limits are held where they change. */
export const Counts = z.object({ friends: z.int(), incoming: z.int(), outgoing: z.int(), blocks: z.int(), mutes: z.int() })
export type Counts = z.infer<typeof Counts>
export const counts = counter({
  table,
  pk: 'user#{userId}',
  sk: 'counts',
  subject: 'userId',
  value: Counts,
  initial: { friends: 0, incoming: 0, outgoing: 0, blocks: 0, mutes: 0 },
})
export const LIMITS: Counts = { friends: 1000, incoming: 1000, outgoing: 1000, blocks: 1000, mutes: 1000 }

// ── What is said ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** As Cognito has verified it, which takes longer ones than mail does. */
const Email = word(2048, isWellFormed, 'is no e-mail address')
const Other = z.object({ userId: UserId })
const Standing = z.object({ status: z.enum(['pending', 'friends']) })
const Between = z.object({ a: UserId, b: UserId, by: UserId })
const Nothing = z.undefined()
/** What every command between two people reads. */
const both = (m: { by: string; data: { userId: string } }) => ({
  me: user.at({ userId: m.by }),
  them: user.at({ userId: m.data.userId }),
  mine: counts.at({ userId: m.by }),
  theirs: counts.at({ userId: m.data.userId }),
})
const pairKey = (m: { by: string; data: { userId: string } }) => pairOf(m.by, m.data.userId)

/** A mute is a mark in the caller's own row, which it must leave as it is otherwise. */
const withMark = (m: { by: string; data: { userId: string } }) => ({ ...both(m), entry: circle.at({ userId: m.by, other: m.data.userId }) })

const OnJob = Other.extend({ jobId: JobId })
const OnEducation = Other.extend({ educationId: EducationId })
/** What a write below a person's path reads: whether the path is the caller's own, and if not, whether they may know of that person. */
const ownPath = (m: { by: string; data: { userId: string } }) => ({
  them: user.at({ userId: m.data.userId }),
  pair: pair.at(pairOf(m.by, m.data.userId)),
  career: career.at({ userId: m.by }),
})
const onJob = (m: { by: string; data: { userId: string } }, jobId: string) => ({ ...ownPath(m), job: job.at({ userId: m.by, jobId }) })
const onEducation = (m: { by: string; data: { userId: string } }, educationId: string) => ({
  ...ownPath(m),
  entry: education.at({ userId: m.by, educationId }),
})
/** Under the caller's own key, whatever the path names: nobody can fill another's mailbox. */
const ownKey = (m: { by: string }) => ({ userId: m.by })

export const users = actor('users', {
  records: { user, pair, circle, counts, nameEntry, job, education, removedEntry, career },
  refusals: {
    'profile-required': problem(409, 'A profile is needed first'),
    'not-found': problem(404, 'There is no such thing, or you may not see it'),
    'not-a-friend': problem(403, 'Only friends may see this'),
    'validation-failed': problem(422, 'The request has invalid fields'),
    'version-mismatch': problem(412, 'It changed since you read it'),
    'cannot-befriend-self': problem(422, 'One cannot befriend oneself'),
    'cannot-block-self': problem(422, 'One cannot block oneself'),
    'friend-limit-reached': problem(409, 'One of the two has as many friends as one can have'),
    'request-limit-reached': problem(409, 'One of the two has as many open requests as one can have'),
    'block-limit-reached': problem(409, 'You block as many people as one can block'),
    'cannot-mute-self': problem(422, 'One cannot mute oneself'),
    'mute-limit-reached': problem(409, 'You mute as many people as one can mute'),
    'no-pending-request': problem(409, 'There is no request of theirs to accept'),
    forbidden: problem(403, 'Only they themselves may do this'),
    'job-limit-reached': problem(409, 'You have as many jobs as one can have'),
    'education-limit-reached': problem(409, 'You have as many entries of education as one can have'),
  },
  events: {
    'user.registered': snapshot(user, z.object({ userId: UserId, email: z.string() })),
    'user.created': snapshot(user, z.object({ userId: UserId, profile: content })),
    'user.updated': snapshot(user, z.object({ userId: UserId, profile: content })),
    'user.indexed': snapshot(user, z.object({ userId: UserId })),
    'friend.requested': fact(pair, Between),
    'friend.accepted': fact(pair, Between),
    'friend.removed': fact(pair, Between.extend({ was: z.enum(['pending', 'friends']), requestedBy: UserId.nullable() })),
    'user.blocked': fact(pair, Between),
    'user.unblocked': fact(pair, Between),
    'user.muted': fact(pair, Between.extend({ entry: CircleEntry })),
    'user.unmuted': fact(pair, Between.extend({ entry: CircleEntry })),
    'job.added': fact(user, JobRow),
    'job.edited': fact(user, JobRow),
    'job.removed': fact(user, z.object({ userId: UserId, jobId: z.string() })),
    'education.added': fact(user, EducationRow),
    'education.edited': fact(user, EducationRow),
    'education.removed': fact(user, z.object({ userId: UserId, educationId: z.string() })),
  },
  commands: {
    'user.register': command(user, {
      who: 'mesh',
      summary: 'Registers the id and e-mail of a confirmed sign-up',
      data: z.object({ userId: UserId, email: Email }),
      answer: { 204: Nothing },
      refuses: [],
      key: m => ({ userId: m.data.userId }),
    }),
    'user.replace': command(user, {
      http: 'PUT /v1/users/me',
      who: 'signed-in',
      summary: 'Begin or replace your profile',
      data: ProfileDraft,
      answer: { 200: Profile, 201: Profile },
      refuses: ['validation-failed', 'version-mismatch'],
      key: m => ({ userId: m.by }),
      loads: m => ({ counts: counts.at({ userId: m.by }) }),
    }),
    'user.edit': command(user, {
      http: 'PATCH /v1/users/me',
      who: 'signed-in',
      summary: 'Change parts of your profile',
      data: ProfilePatch,
      answer: { 200: Profile },
      refuses: ['validation-failed', 'version-mismatch', 'profile-required'],
      key: m => ({ userId: m.by }),
      loads: m => ({ counts: counts.at({ userId: m.by }) }),
    }),
    'friend.request': command(pair, {
      http: 'PUT /v1/users/me/friend-requests/{userId}',
      who: 'pair',
      between: { owner: 'cannot-befriend-self', blocked: 'not-found', blocker: 'not-found', unknown: 'not-found' },
      summary: 'Ask a person to be friends; crossing requests make friends',
      data: Other,
      answer: { 200: Standing, 201: Standing },
      refuses: ['profile-required', 'not-found', 'cannot-befriend-self', 'friend-limit-reached', 'request-limit-reached'],
      key: pairKey,
      loads: both,
    }),
    'friend.accept': command(pair, {
      http: 'POST /v1/users/me/friend-requests/{userId}/accept',
      who: 'pair',
      between: {
        owner: 'no-pending-request',
        commenter: 'no-pending-request',
        friend: 'no-pending-request',
        stranger: 'no-pending-request',
        blocked: 'not-found',
        blocker: 'not-found',
        unknown: 'not-found',
      },
      summary: 'Accept a person’s request',
      data: Other,
      answer: { 200: Standing },
      refuses: ['profile-required', 'not-found', 'no-pending-request', 'friend-limit-reached'],
      key: pairKey,
      loads: both,
    }),
    'friend.withdraw': command(pair, {
      http: 'DELETE /v1/users/me/friend-requests/{userId}',
      who: 'pair',
      // What takes something away never tells whether there was anything: `204` for whoever is named.
      between: {},
      summary: 'Cancel your request, or decline theirs',
      data: Other,
      answer: { 204: Nothing },
      refuses: ['profile-required'],
      key: pairKey,
      loads: both,
    }),
    'friend.remove': command(pair, {
      http: 'DELETE /v1/users/me/friends/{userId}',
      who: 'pair',
      between: {},
      summary: 'End a friendship',
      data: Other,
      answer: { 204: Nothing },
      refuses: ['profile-required'],
      key: pairKey,
      loads: both,
    }),
    'user.block': command(pair, {
      http: 'PUT /v1/users/me/blocks/{userId}',
      who: 'pair',
      // Somebody who blocks the caller can be blocked, too: refusing it would tell.
      between: { owner: 'cannot-block-self', unknown: 'not-found' },
      summary: 'Block a person: ends friendship and requests, hides each from the other',
      data: Other,
      answer: { 204: Nothing },
      refuses: ['profile-required', 'not-found', 'cannot-block-self', 'block-limit-reached'],
      key: pairKey,
      loads: both,
    }),
    'user.unblock': command(pair, {
      http: 'DELETE /v1/users/me/blocks/{userId}',
      who: 'pair',
      between: {},
      summary: 'Unblock a person',
      data: Other,
      answer: { 204: Nothing },
      refuses: ['profile-required'],
      key: pairKey,
      loads: both,
    }),
    'user.mute': command(pair, {
      http: 'PUT /v1/users/me/mutes/{userId}',
      who: 'pair',
      summary: 'Mute a person: their posts leave your timeline, live stream and pushes, and they cannot tell',
      between: { owner: 'cannot-mute-self', blocked: 'not-found', blocker: 'not-found', unknown: 'not-found' },
      data: Other,
      answer: { 204: Nothing },
      refuses: ['profile-required', 'not-found', 'cannot-mute-self', 'mute-limit-reached'],
      key: pairKey,
      loads: withMark,
    }),
    'user.unmute': command(pair, {
      http: 'DELETE /v1/users/me/mutes/{userId}',
      who: 'pair',
      summary: 'Unmute a person',
      between: {},
      data: Other,
      answer: { 204: Nothing },
      refuses: ['profile-required'],
      key: pairKey,
      loads: withMark,
    }),
    'job.add': command(user, {
      http: 'POST /v1/users/{userId}/jobs',
      who: 'owner',
      summary: 'Add a job to your profile',
      data: Other.extend(JobDraft.shape),
      answer: { 201: Job },
      refuses: ['profile-required', 'not-found', 'forbidden', 'validation-failed', 'job-limit-reached'],
      key: ownKey,
      loads: m => ({ ...onJob(m, m.id), removed: removedEntry.at({ userId: m.by, entryId: m.id }) }),
    }),
    'job.edit': command(user, {
      http: 'PUT /v1/users/{userId}/jobs/{jobId}',
      who: 'owner',
      summary: 'Replace a job of yours',
      data: OnJob.extend(JobDraft.shape),
      answer: { 200: Job },
      refuses: ['profile-required', 'not-found', 'forbidden', 'validation-failed'],
      key: ownKey,
      loads: m => onJob(m, m.data.jobId),
    }),
    'job.remove': command(user, {
      http: 'DELETE /v1/users/{userId}/jobs/{jobId}',
      who: 'owner',
      summary: 'Remove a job of yours',
      data: OnJob,
      answer: { 204: Nothing },
      refuses: ['profile-required', 'not-found', 'forbidden'],
      key: ownKey,
      loads: m => onJob(m, m.data.jobId),
    }),
    'education.add': command(user, {
      http: 'POST /v1/users/{userId}/education',
      who: 'owner',
      summary: 'Add an entry of education to your profile',
      data: Other.extend(EducationDraft.shape),
      answer: { 201: Education },
      refuses: ['profile-required', 'not-found', 'forbidden', 'validation-failed', 'education-limit-reached'],
      key: ownKey,
      loads: m => ({ ...onEducation(m, m.id), removed: removedEntry.at({ userId: m.by, entryId: m.id }) }),
    }),
    'education.edit': command(user, {
      http: 'PUT /v1/users/{userId}/education/{educationId}',
      who: 'owner',
      summary: 'Replace an entry of education of yours',
      data: OnEducation.extend(EducationDraft.shape),
      answer: { 200: Education },
      refuses: ['profile-required', 'not-found', 'forbidden', 'validation-failed'],
      key: ownKey,
      loads: m => onEducation(m, m.data.educationId),
    }),
    'education.remove': command(user, {
      http: 'DELETE /v1/users/{userId}/education/{educationId}',
      who: 'owner',
      summary: 'Remove an entry of education of yours',
      data: OnEducation,
      answer: { 204: Nothing },
      refuses: ['profile-required', 'not-found', 'forbidden'],
      key: ownKey,
      loads: m => onEducation(m, m.data.educationId),
    }),
  },
  queries: {
    'user.me': query({
      http: 'GET /v1/users/me',
      who: 'signed-in',
      summary: 'Your profile',
      data: z.object({}),
      answer: Profile,
      versioned: true,
      refuses: ['profile-required', 'version-mismatch'],
      statuses: { 'profile-required': 404 },
    }),
    'user.get': query({
      http: 'GET /v1/users/{userId}',
      who: 'person',
      summary: 'A person’s profile',
      data: Other,
      answer: Profile,
      versioned: true,
      refuses: ['not-found', 'version-mismatch'],
    }),
    'user.find': query({
      http: 'GET /v1/users',
      who: 'signed-in',
      summary: 'People whose first, last or full name begins so, whatever case and accents, in the order of what their names come to',
      data: z.object({
        name: line(1, 161, {
          description: 'two characters or more; one is enough of Han, Kana and Hangul',
          examples: ['ann'],
        }),
      }),
      answer: Person,
      list: true,
      refuses: ['validation-failed'],
    }),
    'friend.list': query({
      http: 'GET /v1/users/{userId}/friends',
      who: 'circle',
      summary: 'A person’s friends, newest friendship first',
      data: Other,
      answer: Person,
      list: true,
      refuses: ['not-found', 'not-a-friend'],
    }),
    'friend.requests': query({
      http: 'GET /v1/users/me/friend-requests',
      who: 'signed-in',
      summary: 'Open requests, newest first',
      data: z.object({ direction: z.enum(['incoming', 'outgoing']).default('incoming') }),
      answer: FriendRequest,
      list: true,
      refuses: [],
    }),
    'block.list': query({
      http: 'GET /v1/users/me/blocks',
      who: 'signed-in',
      summary: 'The people you block, newest first',
      data: z.object({}),
      answer: Person,
      list: true,
      refuses: [],
    }),
    'mute.list': query({
      http: 'GET /v1/users/me/mutes',
      who: 'signed-in',
      summary: 'The people you mute, newest first',
      data: z.object({}),
      answer: Person,
      list: true,
      refuses: [],
    }),
    'job.list': query({
      http: 'GET /v1/users/{userId}/jobs',
      who: 'person',
      summary: 'A person’s jobs: newest start first, those without a start last',
      data: Other,
      answer: Job,
      list: true,
      refuses: ['not-found'],
    }),
    'education.list': query({
      http: 'GET /v1/users/{userId}/education',
      who: 'person',
      summary: 'A person’s education: newest start first, entries without a start last',
      data: Other,
      answer: Education,
      list: true,
      refuses: ['not-found'],
    }),
  },
  subscribes: [],
})
