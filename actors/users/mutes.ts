import { refuse, superseded } from '../../contracts/declare/rules.ts'
import { type CircleEntry, counts, LIMITS, mutedSince, type Pair, pairOf, users } from '../../contracts/users.ts'
import { part } from '../kernel/authoring/rule.ts'
import { circleRow } from './circle-row.ts'
import { noSuchPerson, profileRequired, standing } from './views.ts'

type Act = { readonly id: string; readonly by: string; readonly data: { readonly userId: string } }

/** So long ago that no resuming client is told of it: a mute is no change between two people. */
const NEVER = '1970-01-01T00:00:00.000Z'
/** The caller's row of the other as it stands, which a mark is set in. */
const rowOf = ({ by, data: { userId }, id }: Act, entry: CircleEntry | undefined): CircleEntry =>
  entry ?? { userId: by, other: userId, relation: 'none', since: NEVER, changedAt: NEVER, eventId: `${id}.0`, mutedAt: null }

const between = (m: Act, entry: CircleEntry | undefined) => ({ ...pairOf(m.by, m.data.userId), by: m.by, entry: rowOf(m, entry) })
/** When somebody last muted or unmuted the other. Nothing else makes a toggle come too late, and it makes nothing else do so: the other could tell. */
const toggledAt = ({ mutes }: Pair, who: string) => mutes.find(m => m.by === who)?.at
const toggled = (pair: Pair, by: string, muted: boolean, at: string): Pair => ({
  ...pair,
  mutes: [...pair.mutes.filter(m => m.by !== by), { by, muted, at }],
})

export const mutes = part(users, {
  decide: {
    'user.mute': (pair, m, { me, them, mine, entry }) => {
      if (me.status !== 'live') return profileRequired
      if (m.by === m.data.userId) return refuse('cannot-mute-self', 'the mute is of yourself: name somebody else')
      if (standing(m.by, m.data.userId, them, pair) === 'hidden') return noSuchPerson
      if (mutedSince(pair, m.by) !== null || superseded(m, toggledAt(pair, m.by))) return []
      if (mine.mutes >= LIMITS.mutes) return refuse('mute-limit-reached', `nobody can mute more than ${LIMITS.mutes} people`)
      return [{ type: 'user.muted', data: between(m, entry) }]
    },
    'user.unmute': (pair, m, { me, entry }) => {
      if (me.status !== 'live') return profileRequired
      if (mutedSince(pair, m.by) === null || superseded(m, toggledAt(pair, m.by))) return []
      return [{ type: 'user.unmuted', data: between(m, entry) }]
    },
  },
  apply: {
    'user.muted': (pair, { at, data: { by, entry } }) => ({
      state: toggled(pair, by, true, at),
      writes: [circleRow({ ...entry, mutedAt: at }), counts.add({ userId: by }, { mutes: 1 }, { mutes: LIMITS.mutes })],
    }),
    'user.unmuted': (pair, { at, data: { by, entry } }) => ({
      state: toggled(pair, by, false, at),
      writes: [circleRow({ ...entry, mutedAt: null }), counts.add({ userId: by }, { mutes: -1 })],
    }),
  },
  answer: {
    'user.mute': () => ({ status: 204, body: undefined }),
    'user.unmute': () => ({ status: 204, body: undefined }),
  },
})
