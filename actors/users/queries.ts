import { type EducationRow, education, type JobRow, job, MAX_CAREER } from '../../contracts/career.ts'
import type { ValueOf } from '../../contracts/declare/records.ts'
import { refuse } from '../../contracts/declare/rules.ts'
import { type CircleEntry, counts, nameEntry, pair, pairOf, user, users } from '../../contracts/users.ts'
import { descending, fillPage, type Source } from '../kernel/authoring/page.ts'
import { defineViews, type Reader } from '../kernel/authoring/reader.ts'
import { educationBody, jobBody } from './career.ts'
import { headOf, prefixOf } from './folding.ts'
import { isShownUnder } from './names.ts'
import {
  circleOf,
  circleOnly,
  noSuchPerson,
  peopleFor,
  personOf,
  profileOf,
  profileRequired,
  relation,
  standing,
  standingOf,
} from './views.ts'

/** Those of a circle who stand so to its owner, newest first. */
const newestFirst = async (read: Reader, userId: string, as: CircleEntry['relation']) =>
  descending(
    (await circleOf(read, userId)).filter(e => e.relation === as),
    e => `${e.since}|${e.other}`,
  ).source

/** Entries with the newest start first and those without one last; of one start, the one that was added last comes first. */
const newestStart = <R extends JobRow | EducationRow>(entries: readonly { readonly value: R; readonly at: string }[]) =>
  descending(entries, ({ value, at }) => `${value.startDate ?? '0000-00'}|${at}`).source

/** The rows of forms that begin so, in their order. */
const formsFrom =
  (read: Reader, prefix: string): Source<ValueOf<typeof nameEntry>> =>
  (after, limit) =>
    read.range(nameEntry, { head: headOf(prefix) }, { beginning: prefix, limit, ...(after === undefined ? {} : { after }) })
const tooShort = (name: string) =>
  refuse('validation-failed', `“${name}” is too short to search for`, [
    { pointer: '/name', message: 'must have at least two characters, or one of Han, Kana or Hangul' },
  ])

export const userViews = defineViews(users, {
  'user.me': async ({ by }, read) => {
    const [me, mine] = await Promise.all([read.get(user.at({ userId: by })), read.get(counts.at({ userId: by }))])
    return me.status === 'live' ? { body: profileOf(me, mine, 'self'), version: me.contentVersion } : profileRequired
  },

  'user.get': async ({ by, data: { userId } }, read) => {
    const [of, between, theirs] = await Promise.all([
      read.get(user.at({ userId })),
      read.get(pair.at(pairOf(by, userId))),
      read.get(counts.at({ userId })),
    ])
    if (of.status !== 'live' || standing(by, userId, of, between) === 'hidden') return noSuchPerson
    return { body: profileOf(of, theirs, relation(by, userId, between)), version: of.contentVersion }
  },

  'user.find': async ({ by, data: { name }, ...page }, read) => {
    const prefix = prefixOf(name)
    if (prefix === undefined) return tooShort(name)
    return fillPage(page, formsFrom(read, prefix), async entries => {
      const [states, people] = await Promise.all([
        read.all(entries.map(({ userId }) => user.at({ userId }))),
        peopleFor(read, by, entries, e => e.userId),
      ])
      return entries.map(({ form }, i) => {
        const of = states[i]
        return of?.status === 'live' && isShownUnder(form, of, prefix) ? people[i] : undefined
      })
    })
  },

  'friend.list': async ({ by, data: { userId }, ...page }, read) =>
    circleOnly(await standingOf(read, by, userId)) ??
    (await fillPage(page, await newestFirst(read, userId, 'friend'), entries => peopleFor(read, by, entries, e => e.other))),

  'friend.requests': async ({ by, data: { direction }, ...page }, read) =>
    fillPage(page, await newestFirst(read, by, direction), async entries => {
      const people = await peopleFor(read, by, entries, e => e.other)
      return entries.map(({ since }, i) => (people[i] ? { user: people[i], createdAt: since } : undefined))
    }),

  // The one place that shows people who are hidden otherwise: whom one cannot see one could not unblock.
  'block.list': async ({ by, ...page }, read) =>
    fillPage(page, await newestFirst(read, by, 'blocked'), async entries => {
      const states = await read.all(entries.map(e => user.at({ userId: e.other })))
      return entries.map(({ other }, i) => (states[i]?.status === 'live' ? personOf(other, states[i]) : undefined))
    }),

  // Unlike a block, a mute shows nobody who is hidden otherwise; whom one mutes can be unmuted unseen.
  'mute.list': async ({ by, ...page }, read) => {
    const muted = (await circleOf(read, by)).filter(e => e.mutedAt !== null)
    return fillPage(page, descending(muted, e => `${e.mutedAt}|${e.other}`).source, entries => peopleFor(read, by, entries, e => e.other))
  },

  'job.list': async ({ by, data: { userId }, ...page }, read) => {
    if ((await standingOf(read, by, userId)) === 'hidden') return noSuchPerson
    const { items } = await read.range(job, { userId }, { limit: MAX_CAREER.jobs })
    return fillPage(page, newestStart(items), async entries => entries.map(e => jobBody(e.value)))
  },

  'education.list': async ({ by, data: { userId }, ...page }, read) => {
    if ((await standingOf(read, by, userId)) === 'hidden') return noSuchPerson
    const { items } = await read.range(education, { userId }, { limit: MAX_CAREER.education })
    return fillPage(page, newestStart(items), async entries => entries.map(e => educationBody(e.value)))
  },
})
