import { isDeepStrictEqual } from 'node:util'
import { type Rules, refuse, rules, superseded } from '../../contracts/declare/rules.ts'
import {
  type Holder,
  MOST_SUBSCRIPTIONS,
  push,
  pushCounts,
  type Subscription,
  subscription,
  subscriptionIdOf,
} from '../../contracts/push.ts'
import { tombstoneUntil } from '../kernel/authoring/rule.ts'
import { profileRequired } from '../users/views.ts'
import { refusedEndpoint } from './endpoint.ts'

/** The end of the year 9999 in epoch seconds: an endpoint that comes back outlives the tombstone that it left. */
const NEVER = 253_402_300_799

const removed = (userId: string, id: string) => [subscription.remove({ userId, id }), pushCounts.add({ userId }, { subscriptions: -1 })]

type Ended = { readonly at: string; readonly data: { readonly id: string; readonly userId: string } }
const ended = (held: Holder, { at, data: { userId, id } }: Ended) => ({
  state: { ...held, userId: null, changedAt: at },
  expiresAt: tombstoneUntil(at),
  writes: removed(userId, id),
})

const done = { status: 204, body: undefined } as const

/** @param allowed origins that subscriptions may have besides those of the known push services */
export const pushRules = (allowed: readonly string[]): Rules<typeof push> =>
  rules(push, {
    decide: {
      'push.subscribe': (held, m, { me, mine, counts }) => {
        if (me.status !== 'live') return profileRequired
        const { endpoint, expirationTime, keys } = m.data
        const why = refusedEndpoint(endpoint, allowed)
        if (why) return refuse('push-endpoint-refused', why)
        if (expirationTime !== null && expirationTime <= Date.parse(m.at))
          return refuse('validation-failed', `the subscription ended at ${new Date(expirationTime).toISOString()}: subscribe anew`, [
            { pointer: '/expirationTime', message: 'must be in the future' },
          ])
        if (superseded(m, held.changedAt)) return []
        const own = held.userId === m.by ? mine : undefined
        const given = { endpoint, expirationTime, ...keys }
        const { p256dh, auth } = own ?? {}
        if (own && isDeepStrictEqual(given, { endpoint: own.endpoint, expirationTime: own.expirationTime, p256dh, auth })) return []
        if (!own && counts.subscriptions >= MOST_SUBSCRIPTIONS)
          return refuse(
            'subscription-limit-reached',
            `${MOST_SUBSCRIPTIONS} is the most: take one away with DELETE /v1/push/subscriptions/{id}`,
          )
        const { createdAt, command } = own ?? { createdAt: m.at, command: m.id }
        const data = { id: subscriptionIdOf(endpoint), userId: m.by, ...given, createdAt, command, from: held.userId }
        return [{ type: 'push.subscribed', data }]
      },

      'push.unsubscribe': (held, m, { me }) => {
        if (me.status !== 'live') return profileRequired
        if (held.userId !== m.by || superseded(m, held.changedAt)) return []
        return [{ type: 'push.unsubscribed', data: { id: m.data.id, userId: m.by } }]
      },

      'push.expire': (held, { data: { id, userId, command } }) =>
        held.userId === userId && held.command === command ? [{ type: 'push.expired', data: { id, userId } }] : [],

      'push.prefer': (stands, m, { me }) => {
        if (me.status !== 'live') return profileRequired
        const { types, quietHours } = m.data
        if (
          superseded(m, stands.changedAt) ||
          isDeepStrictEqual({ types, quietHours }, { types: stands.types, quietHours: stands.quietHours })
        )
          return []
        return [{ type: 'push.preferred', data: { userId: m.by, types, quietHours } }]
      },
    },

    apply: {
      'push.subscribed': (_, { at, data: { from, ...mine } }) => {
        const { userId, id, command } = mine
        // Of a renewed one the time of the last delivery is lost: it is told again with the next.
        const put = subscription.put({ ...mine, lastDeliveredAt: null } satisfies Subscription)
        const state = { userId, command, changedAt: at }
        if (from === userId) return { state, writes: [put], expiresAt: NEVER }
        const counted = pushCounts.add({ userId }, { subscriptions: 1 }, { subscriptions: MOST_SUBSCRIPTIONS })
        return { state, writes: [...(from === null ? [] : removed(from, id)), put, counted], expiresAt: NEVER }
      },
      'push.unsubscribed': ended,
      'push.expired': ended,
      'push.preferred': (_, { at, data: { types, quietHours } }) => ({ state: { types, quietHours, changedAt: at } }),
    },

    answer: {
      'push.subscribe': (held, m) => ({ status: held.command === m.id ? 201 : 200, body: { id: subscriptionIdOf(m.data.endpoint) } }),
      'push.unsubscribe': () => done,
      'push.expire': () => done,
      'push.prefer': ({ types, quietHours }) => ({ status: 200, body: { types, quietHours } }),
    },
  })
