import { z } from 'zod'
import { base64Url, bytesOf } from './declare/base64.ts'
import { actor, command, fact, problem, query, snapshot } from './declare/messages.ts'
import { isPoint } from './declare/p256.ts'
import { counter, row, state } from './declare/records.ts'
import { sha256 } from './declare/sha256.ts'
import { Time, UserId, word } from './declare/text.ts'
import { user } from './users.ts'

// ── What clients see ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** So many bytes in base64url or base64, kept as base64url without padding. */
const bytes = (count: number, are: (given: Uint8Array) => boolean, wrong: string, example: string) => {
  const fits = (given: string) => {
    const found = bytesOf(given)
    return found?.length === count && are(found)
  }
  return word(4 * Math.ceil(count / 3), fits, wrong, { examples: [example] }).transform(given =>
    base64Url(bytesOf(given) ?? new Uint8Array()),
  )
}

const MAX_ENDPOINT_LENGTH = 2048
/** Browsers give an endpoint as they would send it: in ASCII. A host in other letters would have to be translated, which takes long for long ones. */
const ADDRESS = /^[a-z][a-z\d+.-]{0,31}:\/\/[^/?#\\]{1,512}(?:[/?#\\].*)?$/i
const isAddress = (given: string) =>
  /^[!-~]+$/.test(given) && ADDRESS.test(given) && URL.canParse(given) && new URL(given).href.length <= MAX_ENDPOINT_LENGTH

/** The last moment that a date can be, in epoch ms (ECMA-262). */
const LATEST = 8.64e15

/** What a browser's `PushSubscription` is as JSON. */
export const PushSubscription = z.object({
  endpoint: word(MAX_ENDPOINT_LENGTH, isAddress, 'must be an absolute address of at most 2048 ASCII characters', {
    format: 'uri',
    examples: ['https://updates.push.services.mozilla.com/wpush/v2/example'],
  }).transform(given => new URL(given).href),
  // What no date can be could not be stored: a message that fails for ever holds up its queue. Whether it is past the actor decides, by the message's time.
  expirationTime: z
    .int()
    .min(0)
    .max(LATEST)
    .nullish()
    .transform(x => x ?? null)
    .meta({ description: 'epoch milliseconds, in the future' }),
  // The examples are those of RFC 8291.
  keys: z.object({
    p256dh: bytes(
      65,
      isPoint,
      'must be an uncompressed point of P-256, 65 bytes in base64url',
      'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    ),
    auth: bytes(16, () => true, 'must be 16 bytes in base64url', 'BTBZMqHH6r4Tts7J_aSIgg'),
  }),
})

/** Opaque to clients. Derived from the endpoint, so that an endpoint has one subscription whoever asks. */
const SubscriptionId = word(64, /^[\w-]+$/, 'is no id of a subscription')
/** 192 bits of the endpoint's digest: nobody makes an endpoint that meets another's id. */
export const subscriptionIdOf = (endpoint: string): string => base64Url(sha256(endpoint).subarray(0, 24))

export const OwnSubscription = z
  .object({
    id: z.string(),
    endpoint: z.string(),
    expirationTime: z.number().nullable(),
    createdAt: Time,
    lastDeliveredAt: Time.nullable().meta({ description: 'when a push service last took a message for it, give or take a minute' }),
  })
  .meta({ id: 'OwnSubscription' })

const on = z.boolean().default(true)
const off = z.boolean().default(false)
/** What people may be told of, and whether they are while they did not say. */
const Types = z.object({
  'friend.requested': on,
  'friend.accepted': on,
  'post.liked': on,
  'comment.added': on,
  'content.removed': on,
  'prompt.opened': on,
  'post.published': off,
})
export type PushType = keyof z.infer<typeof Types>
const DEFAULT_TYPES = Types.parse({})

const TimeOfDay = word(5, /^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 22:00')
const hours = z.object({ from: TimeOfDay, to: TimeOfDay })
/** From (inclusive) to (exclusive), over midnight if need be. */
export type QuietHours = z.infer<typeof hours>
const QuietHours = hours.nullable()

export const PushPreferences = z
  .object({
    types: Types,
    quietHours: QuietHours.meta({ description: 'in the time zone of the profile; nothing is sent from `from` until `to`' }),
  })
  .meta({ id: 'PushPreferences' })
export type PushPreferences = z.infer<typeof PushPreferences>
/** What is left out takes its default. */
export const PushPreferencesDraft = z.object({
  types: Types.nullish().transform(given => given ?? DEFAULT_TYPES),
  quietHours: hours
    .refine(({ from, to }) => from !== to, 'from and to must differ')
    .nullish()
    .transform(x => x ?? null),
})

/** What a device decrypts. */
export const PushMessage = z
  .object({
    type: z.string(),
    title: z.string(),
    body: z.string(),
    url: z.string().meta({ description: 'what it is about, relative to the client' }),
    at: Time,
  })
  .meta({ id: 'PushMessage' })
export type PushMessage = z.infer<typeof PushMessage>

// ── What is stored ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const table = 'push'
/** `command` is the one that made it its person's. */
const endpoint = {
  endpoint: z.string(),
  expirationTime: z.number().nullable(),
  p256dh: z.string(),
  auth: z.string(),
  createdAt: Time,
  command: z.string(),
}

/**
 * An endpoint: who has it, or had it last. Its turns alone decide whose it is, so that it moves between people in one transaction. `command` is the one
 * that gave it to them. No key field names a person: what there is about people lies in the rows.
 */
export const Holder = z.object({ userId: UserId.nullable(), command: z.string().nullable(), changedAt: Time.nullable() })
export type Holder = z.infer<typeof Holder>
export const holder = state({
  table,
  pk: 'subscription#{id}',
  sk: 'state',
  subject: [],
  value: Holder,
  initial: { userId: null, command: null, changedAt: null },
})

/** A person's subscription; there is a row exactly while the endpoint is theirs. `lastDeliveredAt` is noted beside turns: no rule depends on it. */
export const Subscription = z.object({ id: z.string(), userId: UserId, ...endpoint, lastDeliveredAt: Time.nullable() })
export type Subscription = z.infer<typeof Subscription>
export const subscription = row({ table, pk: 'user#{userId}', sk: 'subscription#{id}', subject: 'userId', value: Subscription })

const PushCounts = z.object({ subscriptions: z.int() })
export const pushCounts = counter({
  table,
  pk: 'user#{userId}',
  sk: 'counts',
  subject: 'userId',
  value: PushCounts,
  initial: { subscriptions: 0 },
})
export const MOST_SUBSCRIPTIONS = 20

export const Preferences = z.object({ types: Types, quietHours: QuietHours, changedAt: Time.nullable() })
export type Preferences = z.infer<typeof Preferences>
export const preferences = state({
  table,
  pk: 'user#{userId}',
  sk: 'preferences',
  subject: 'userId',
  value: Preferences,
  initial: { types: DEFAULT_TYPES, quietHours: null, changedAt: null },
})

// ── What is said ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

const Nothing = z.undefined()
const OfSubscription = z.object({ id: SubscriptionId })
const Ended = z.object({ id: z.string(), userId: UserId })
const subscribing = (m: { by: string; data: { endpoint: string } }) => ({ id: subscriptionIdOf(m.data.endpoint) })

export const push = actor('push', {
  records: { holder, subscription, pushCounts, preferences },
  refusals: {
    'profile-required': problem(409, 'A profile is needed first'),
    'not-found': problem(404, 'There is no such thing, or you may not see it'),
    'validation-failed': problem(422, 'The request has invalid fields'),
    'push-endpoint-refused': problem(422, 'This is no address of a push service'),
    'subscription-limit-reached': problem(409, 'You have as many subscriptions as one can have'),
  },
  events: {
    'push.subscribed': fact(holder, z.object({ id: z.string(), userId: UserId, ...endpoint, from: UserId.nullable() })),
    'push.unsubscribed': fact(holder, Ended),
    'push.expired': fact(holder, Ended),
    'push.preferred': snapshot(preferences, z.object({ userId: UserId, types: Types, quietHours: QuietHours })),
  },
  commands: {
    'push.subscribe': command(holder, {
      http: 'PUT /v1/push/subscriptions',
      who: 'signed-in',
      summary: 'Have messages sent to a browser; an endpoint that was somebody else’s becomes yours',
      data: PushSubscription,
      answer: { 200: OfSubscription, 201: OfSubscription },
      refuses: ['validation-failed', 'push-endpoint-refused', 'subscription-limit-reached', 'profile-required'],
      key: subscribing,
      loads: m => ({
        me: user.at({ userId: m.by }),
        mine: subscription.at({ userId: m.by, ...subscribing(m) }),
        counts: pushCounts.at({ userId: m.by }),
      }),
    }),
    'push.unsubscribe': command(holder, {
      http: 'DELETE /v1/push/subscriptions/{id}',
      who: 'signed-in',
      summary: 'Have no more messages sent to a browser',
      data: OfSubscription,
      answer: { 204: Nothing },
      refuses: ['profile-required'],
      key: m => ({ id: m.data.id }),
      loads: m => ({ me: user.at({ userId: m.by }) }),
    }),
    'push.expire': command(holder, {
      who: 'mesh',
      summary: 'Removes a subscription that its push service does not know any more',
      data: OfSubscription.extend({
        userId: UserId,
        command: word(80, /^[!-~]+$/, 'is no id of a command', {
          description: 'the command that made it, lest a newer one of the same endpoint goes',
        }),
      }),
      answer: { 204: Nothing },
      refuses: [],
      key: m => ({ id: m.data.id }),
    }),
    'push.prefer': command(preferences, {
      http: 'PUT /v1/push/preferences',
      who: 'signed-in',
      summary: 'Choose what messages are sent to you, and when none are',
      data: PushPreferencesDraft,
      answer: { 200: PushPreferences },
      refuses: ['profile-required'],
      key: m => ({ userId: m.by }),
      loads: m => ({ me: user.at({ userId: m.by }) }),
    }),
  },
  queries: {
    'push.key': query({
      http: 'GET /v1/push/key',
      who: 'signed-in',
      summary: 'The key to subscribe with (VAPID)',
      data: z.object({}),
      answer: z.object({ publicKey: z.string() }),
      refuses: ['not-found'],
    }),
    'push.subscriptions': query({
      http: 'GET /v1/push/subscriptions',
      who: 'signed-in',
      summary: 'Your subscriptions, newest first',
      data: z.object({}),
      answer: OwnSubscription,
      list: true,
      refuses: [],
    }),
    'push.preferences': query({
      http: 'GET /v1/push/preferences',
      who: 'signed-in',
      summary: 'What messages are sent to you, and when none are',
      data: z.object({}),
      answer: PushPreferences,
      refuses: [],
    }),
  },
  subscribes: ['friend.requested', 'friend.accepted', 'post.liked', 'comment.added', 'post.published'],
})
