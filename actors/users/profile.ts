import { isDeepStrictEqual } from 'node:util'
import type { Message } from '../../contracts/declare/messages.ts'
import { commandOf, refuse, superseded } from '../../contracts/declare/rules.ts'
import { DEFAULTS, type LiveUser, type ProfileContent, type ProfilePatch, type User, users } from '../../contracts/users.ts'
import { mismatched, part } from '../kernel/authoring/rule.ts'
import { localDay } from '../kernel/ports/clock/local.ts'
import { indexed, isIndexed } from './names.ts'
import { profileOf, profileRequired } from './views.ts'

const nobody: ProfileContent = { firstName: '', lastName: '', ...DEFAULTS }

/** A merge patch (RFC 7396): what is left out stands, `null` goes back to the default. */
const merged = (standing: ProfileContent, patch: ProfilePatch): ProfileContent => {
  const or = <T>(given: T | null | undefined, stands: T, byDefault: T) => (given === undefined ? stands : (given ?? byDefault))
  return {
    firstName: patch.firstName ?? standing.firstName,
    lastName: patch.lastName ?? standing.lastName,
    headline: or(patch.headline, standing.headline, DEFAULTS.headline),
    bio: or(patch.bio, standing.bio, DEFAULTS.bio),
    location: or(patch.location, standing.location, DEFAULTS.location),
    birthday: or(patch.birthday, standing.birthday, DEFAULTS.birthday),
    timeZone: or(patch.timeZone, standing.timeZone, DEFAULTS.timeZone),
    language: or(patch.language, standing.language, DEFAULTS.language),
  }
}

/** Nobody is born today or later, by the calendar at home. */
const notBornYet = ({ at }: Message<unknown>, { birthday, timeZone }: ProfileContent) =>
  birthday !== null && birthday >= localDay(timeZone, at).day
    ? refuse('validation-failed', `${birthday} is not in the past`, [{ pointer: '/birthday', message: 'must be a date in the past' }])
    : undefined

/** What becomes of a profile: nothing if it is so already. */
const revised = (user: LiveUser, m: Message<unknown>, profile: ProfileContent) => {
  if (superseded(m, user.changedAt)) return []
  const unborn = profile.birthday === user.profile.birthday ? undefined : notBornYet(m, profile)
  if (unborn) return unborn
  if (mismatched(m, user.contentVersion)) return refuse('version-mismatch', `the profile is at version ${user.contentVersion}`)
  if (!isDeepStrictEqual(profile, user.profile)) return [{ type: 'user.updated' as const, data: { userId: user.userId, profile } }]
  return isIndexed(user) ? [] : [{ type: 'user.indexed' as const, data: { userId: user.userId } }]
}

/** A profile as it begins; an e-mail address stays from the registration. */
const begun = (user: User, profile: ProfileContent, e: { id: string; at: string; by: string }): LiveUser => ({
  status: 'live',
  userId: e.by,
  email: user.status === 'none' ? null : user.email,
  profile,
  contentVersion: 1,
  createdAt: e.at,
  createdBy: commandOf(e.id),
  changedAt: e.at,
  eventId: e.id,
})

/** What the answers tell. Total: a repeat may come when the profile is gone, and is told of its own words. */
const told = (user: User, m: Message<ProfilePatch>): LiveUser => (user.status === 'live' ? user : begun(user, merged(nobody, m.data), m))

export const profile = part(users, {
  decide: {
    'user.register': (user, { data }) => (user.status === 'none' || user.email === null ? [{ type: 'user.registered', data }] : []),

    'user.replace': (user, m) => {
      if (user.status === 'live') return revised(user, m, m.data)
      if (mismatched(m, undefined)) return refuse('version-mismatch', 'you have no profile yet')
      return notBornYet(m, m.data) ?? [{ type: 'user.created', data: { userId: m.by, profile: m.data } }]
    },

    'user.edit': (user, m) => (user.status === 'live' ? revised(user, m, merged(user.profile, m.data)) : profileRequired),
  },

  apply: {
    'user.registered': (user, { data }) => ({
      state: user.status === 'live' ? { ...user, email: data.email } : { status: 'registered', ...data },
    }),
    'user.created': (user, event) => indexed({ ...begun(user, event.data.profile, event), changedAt: event.now }),
    'user.updated': (user, { data, now, id }) =>
      user.status === 'live'
        ? indexed({ ...user, profile: data.profile, contentVersion: user.contentVersion + 1, changedAt: now, eventId: id })
        : { state: user },
    'user.indexed': user => (user.status === 'live' ? indexed(user) : { state: user }),
  },

  answer: {
    'user.register': () => ({ status: 204, body: undefined }),
    'user.replace': (user, m, { counts }) => {
      const now = told(user, m)
      return { status: now.createdBy === m.id ? 201 : 200, body: profileOf(now, counts, 'self'), version: now.contentVersion }
    },
    'user.edit': (user, m, { counts }) => {
      const now = told(user, m)
      return { status: 200, body: profileOf(now, counts, 'self'), version: now.contentVersion }
    },
  },
})
