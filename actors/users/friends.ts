import { type Applied, commandOf, refuse, superseded } from '../../contracts/declare/rules.ts'
import { type CircleEntry, counts, LIMITS, mutedSince, type Pair, pairOf, type User, users } from '../../contracts/users.ts'
import { part } from '../kernel/authoring/rule.ts'
import { circleRow } from './circle-row.ts'
import { noSuchPerson, profileRequired, standing } from './views.ts'

type Act = { readonly by: string; readonly data: { readonly userId: string } }
type Between = { readonly a: string; readonly b: string; readonly by: string }

const between = (m: Act): Between => ({ ...pairOf(m.by, m.data.userId), by: m.by })
const otherOf = ({ a, b, by }: Between): string => (by === a ? b : a)

const toOneself = (m: Act): boolean => m.by === m.data.userId
const hidden = (m: Act, them: User, pair: Pair): boolean => standing(m.by, m.data.userId, them, pair) === 'hidden'
const blocks = (pair: Pair, who: string): boolean => pair.blockedBy.includes(who)

const nobodyFull = refuse('friend-limit-reached', `nobody can have more than ${LIMITS.friends} friends`)
const tooManyRequests = refuse('request-limit-reached', `nobody can have more than ${LIMITS.outgoing} open requests either way`)

/** What ends between two people: a friendship, a request, or nothing. */
const ending = (pair: Pair, m: Act) =>
  pair.status === 'none'
    ? []
    : [{ type: 'friend.removed' as const, data: { ...between(m), was: pair.status, requestedBy: pair.requestedBy } }]

/** How `userId` stands to `other` from this event on; who leaves a circle is remembered there for a while, and who is muted for good. */
const entry = (pair: Pair, userId: string, other: string, relation: CircleEntry['relation'], { id, at, now }: Applied<unknown>) =>
  circleRow({ userId, other, relation, since: at, changedAt: now, eventId: id, mutedAt: mutedSince(pair, userId) })

export const friends = part(users, {
  decide: {
    'friend.request': (pair, m, { me, them, mine, theirs }) => {
      if (me.status !== 'live') return profileRequired
      if (toOneself(m)) return refuse('cannot-befriend-self', 'the request is to yourself: name somebody else')
      if (hidden(m, them, pair)) return noSuchPerson
      if (pair.status === 'friends' || pair.requestedBy === m.by || superseded(m, pair.changedAt)) return []
      if (mine.friends >= LIMITS.friends || theirs.friends >= LIMITS.friends) return nobodyFull
      if (pair.status === 'pending') return [{ type: 'friend.accepted', data: between(m) }]
      if (mine.outgoing >= LIMITS.outgoing || theirs.incoming >= LIMITS.incoming) return tooManyRequests
      return [{ type: 'friend.requested', data: between(m) }]
    },

    'friend.accept': (pair, m, { me, them, mine, theirs }) => {
      if (me.status !== 'live') return profileRequired
      if (hidden(m, them, pair)) return noSuchPerson
      if (pair.requestedBy !== m.data.userId || superseded(m, pair.changedAt))
        return refuse('no-pending-request', 'they have no open request to you: ask them with PUT /v1/users/me/friend-requests/{userId}')
      if (mine.friends >= LIMITS.friends || theirs.friends >= LIMITS.friends) return nobodyFull
      return [{ type: 'friend.accepted', data: between(m) }]
    },

    'friend.withdraw': (pair, m, { me }) => {
      if (me.status !== 'live') return profileRequired
      return pair.status !== 'pending' || superseded(m, pair.changedAt) ? [] : ending(pair, m)
    },

    'friend.remove': (pair, m, { me }) => {
      if (me.status !== 'live') return profileRequired
      return pair.status !== 'friends' || superseded(m, pair.changedAt) ? [] : ending(pair, m)
    },

    'user.block': (pair, m, { me, them, mine }) => {
      if (me.status !== 'live') return profileRequired
      if (toOneself(m)) return refuse('cannot-block-self', 'the block is of yourself: name somebody else')
      if (them.status !== 'live') return noSuchPerson
      if (blocks(pair, m.by) || superseded(m, pair.changedAt)) return []
      if (mine.blocks >= LIMITS.blocks) return refuse('block-limit-reached', `nobody can block more than ${LIMITS.blocks} people`)
      return [...ending(pair, m), { type: 'user.blocked', data: between(m) }]
    },

    'user.unblock': (pair, m, { me }) => {
      if (me.status !== 'live') return profileRequired
      return !blocks(pair, m.by) || superseded(m, pair.changedAt) ? [] : [{ type: 'user.unblocked', data: between(m) }]
    },
  },

  apply: {
    'friend.requested': (pair, event) => {
      const [by, other] = [event.data.by, otherOf(event.data)]
      return {
        state: { ...pair, status: 'pending', requestedBy: by, since: event.at, changedAt: event.at, command: commandOf(event.id) },
        writes: [
          entry(pair, by, other, 'outgoing', event),
          entry(pair, other, by, 'incoming', event),
          counts.add({ userId: by }, { outgoing: 1 }, { outgoing: LIMITS.outgoing }),
          counts.add({ userId: other }, { incoming: 1 }, { incoming: LIMITS.incoming }),
        ],
      }
    },

    'friend.accepted': (pair, event) => {
      const [by, other] = [event.data.by, otherOf(event.data)]
      return {
        state: { ...pair, status: 'friends', requestedBy: null, since: event.at, changedAt: event.at },
        writes: [
          entry(pair, by, other, 'friend', event),
          entry(pair, other, by, 'friend', event),
          counts.add({ userId: by }, { incoming: -1, friends: 1 }, { friends: LIMITS.friends }),
          counts.add({ userId: other }, { outgoing: -1, friends: 1 }, { friends: LIMITS.friends }),
        ],
      }
    },

    'friend.removed': (pair, event) => {
      const { a, b, was, requestedBy } = event.data
      const less = (who: string) => (was === 'friends' ? { friends: -1 } : who === requestedBy ? { outgoing: -1 } : { incoming: -1 })
      return {
        state: { ...pair, status: 'none', requestedBy: null, since: null, changedAt: event.at },
        writes: [
          entry(pair, a, b, 'none', event),
          entry(pair, b, a, 'none', event),
          counts.add({ userId: a }, less(a)),
          counts.add({ userId: b }, less(b)),
        ],
      }
    },

    'user.blocked': (pair, event) => {
      const [by, other] = [event.data.by, otherOf(event.data)]
      return {
        state: { ...pair, blockedBy: [...pair.blockedBy, by], changedAt: event.at },
        writes: [entry(pair, by, other, 'blocked', event), counts.add({ userId: by }, { blocks: 1 }, { blocks: LIMITS.blocks })],
      }
    },

    'user.unblocked': (pair, event) => {
      const [by, other] = [event.data.by, otherOf(event.data)]
      return {
        state: { ...pair, blockedBy: pair.blockedBy.filter(who => who !== by), changedAt: event.at },
        writes: [entry(pair, by, other, 'none', event), counts.add({ userId: by }, { blocks: -1 })],
      }
    },
  },

  answer: {
    'friend.request': (pair, m) =>
      pair.command === m.id
        ? { status: 201, body: { status: 'pending' } }
        : { status: 200, body: { status: pair.status === 'friends' ? 'friends' : 'pending' } },
    'friend.accept': () => ({ status: 200, body: { status: 'friends' } }),
    'friend.withdraw': () => ({ status: 204, body: undefined }),
    'friend.remove': () => ({ status: 204, body: undefined }),
    'user.block': () => ({ status: 204, body: undefined }),
    'user.unblock': () => ({ status: 204, body: undefined }),
  },
})
