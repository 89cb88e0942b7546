import { expect, test } from 'vitest'
import { postKey, post as record, slot } from '../../contracts/posts.ts'
import { ProfileDraft } from '../../contracts/users.ts'
import { localDay } from '../kernel/ports/clock/local.ts'
import { ann, nobody, village } from '../testing/village.ts'

const draft = { title: 'T', content: 'C' }
/** Ann, at home in a zone. */
const living = (timeZone: string) => {
  const w = village(ann)
  w.say(ann, 'user.edit', { timeZone })
  return w
}
type Village = ReturnType<typeof living>
const publishedOn = (w: Village, at: string) => {
  const { refused, body } = w.say(ann, 'post.publish', draft, { at })
  return body?.day ?? refused
}
const slotOf = (w: Village) => w.at(slot.at({ authorId: ann }))

test('a post is published with the author’s date, and is current until their next one begins', () => {
  const w = living('Europe/Berlin')
  const { status, version, body, events } = w.say(ann, 'post.publish', { title: ' T ', content: 'C' }, { at: '2026-11-20T23:30:00.000Z' })
  expect(status).toBe(201)
  expect(version).toBe(1)
  expect(body).toMatchObject({
    author: { id: ann, firstName: 'Ann' },
    day: '2026-11-21',
    title: 'T',
    late: false,
    likeCount: 0,
    liked: false,
    media: null,
    createdAt: '2026-11-20T23:30:00.000Z',
    editedAt: null,
  })
  expect(events).toMatchObject([{ type: 'post.published', data: { day: '2026-11-21', expiresAt: '2026-11-21T23:00:00.000Z' } }])
  const postId = body?.id ?? ''
  expect(slotOf(w)).toMatchObject({ current: { postId, expiresAt: '2026-11-21T23:00:00.000Z' } })
  expect(w.at(record.at(postKey(postId)))).toMatchObject({ status: 'live', day: '2026-11-21', contentVersion: 1 })
})

test('one post a day, and the refusal names the day', () => {
  const w = living('Europe/Berlin')
  w.publish(ann, { at: '2026-11-20T09:00:00.000Z' })
  expect(publishedOn(w, '2026-11-20T22:59:59.999Z')).toBe('already-posted-today')
  expect(publishedOn(w, '2026-11-20T23:00:00.000Z')).toBe('2026-11-21')
})

test('a post needs a profile', () => {
  expect(village().say(nobody, 'post.publish', draft).refused).toBe('profile-required')
})

test('a deleted post frees its day; its id never comes back', () => {
  const w = living('UTC')
  const first = w.publish(ann)
  w.say(ann, 'post.delete', { postId: first.id })
  expect(slotOf(w)).toMatchObject({ current: null, days: [], lastDeletion: { postId: first.id } })
  const second = w.publish(ann)
  expect(second.day).toBe(first.day)
  expect(second.id).not.toBe(first.id)
})

test('who travels west does not post twice on a date, who travels east posts early', () => {
  const w = living('Pacific/Kiritimati')
  expect(publishedOn(w, '2026-11-20T10:30:00.000Z')).toBe('2026-11-21')
  w.say(ann, 'user.edit', { timeZone: 'Pacific/Pago_Pago' })
  expect(publishedOn(w, '2026-11-20T10:45:00.000Z')).toBe('already-posted-today')
  expect(publishedOn(w, '2026-11-22T10:59:00.000Z')).toBe('already-posted-today')
  expect(publishedOn(w, '2026-11-22T11:00:00.000Z')).toBe('2026-11-22')
  w.say(ann, 'user.edit', { timeZone: 'Pacific/Kiritimati' })
  expect(publishedOn(w, '2026-11-22T11:00:01.000Z')).toBe('2026-11-23')
})

test('a traveller who deletes does not come back to a date whose post stands', () => {
  const w = living('Pacific/Pago_Pago')
  const days = ['Pacific/Pago_Pago', 'UTC', 'Pacific/Kiritimati'].map(timeZone => {
    w.say(ann, 'user.edit', { timeZone })
    return w.publish(ann, { at: '2026-11-20T10:30:00.000Z' })
  })
  expect(days.map(d => d.day)).toEqual(['2026-11-19', '2026-11-20', '2026-11-21'])
  for (const post of days.slice(1)) w.say(ann, 'post.delete', { postId: post.id })
  w.say(ann, 'user.edit', { timeZone: 'Pacific/Pago_Pago' })
  expect(publishedOn(w, '2026-11-20T10:40:00.000Z')).toBe('already-posted-today')
})

test('a day ends where the zone says: without its midnight, after 25 hours, or with a date left out', () => {
  const ends = (timeZone: string, at: string) => {
    const w = living(timeZone)
    w.publish(ann, { at })
    return slotOf(w).current?.expiresAt
  }
  // Cuba jumps from midnight to one; the 8th begins at 01:00 local time.
  expect(ends('America/Havana', '2026-03-07T17:00:00.000Z')).toBe('2026-03-08T05:00:00.000Z')
  expect(ends('Europe/Berlin', '2026-10-25T10:00:00.000Z')).toBe('2026-10-25T23:00:00.000Z')
  // Samoa had no 30 December 2011.
  expect(ends('Pacific/Apia', '2011-12-29T22:00:00.000Z')).toBe('2011-12-30T10:00:00.000Z')
})

test('every time zone that a profile may have has its days', () => {
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
  const abbreviations = letters.flatMap(a => letters.flatMap(b => letters.map(c => a + b + c)))
  const names = [...Intl.supportedValuesOf('timeZone'), ...abbreviations, 'Etc/GMT+12', 'EST5EDT', 'GB', 'US/Pacific', 'europe/berlin']
  const taken = names.filter(timeZone => ProfileDraft.safeParse({ firstName: 'A', lastName: 'B', timeZone }).success)
  expect(taken).toEqual(expect.arrayContaining([...Intl.supportedValuesOf('timeZone'), 'UTC', 'CET', 'EST', 'US/Pacific', 'europe/berlin']))
  for (const timeZone of taken) expect(localDay(timeZone, '2026-11-20T12:00:00.000Z').day, timeZone).toMatch(/^2026-11-(19|20|21)$/)
  for (const timeZone of ['PST', 'IST']) expect(taken, 'an abbreviation is no name of a zone').not.toContain(timeZone)
})

test('a post that was a dead letter keeps its own day, and does not come back after a deletion', () => {
  const w = living('UTC')
  const late = (at: string) => w.say(ann, 'post.publish', draft, { at, redriven: true })
  expect(late('2026-11-20T09:00:00.000Z').body).toMatchObject({ day: '2026-11-20', createdAt: '2026-11-20T09:00:00.000Z' })
  w.publish(ann, { at: '2026-11-22T09:00:00.000Z' })
  expect(late('2026-11-21T09:00:00.000Z').refused).toBe('already-posted-today')

  const other = living('UTC')
  other.say(ann, 'post.delete', { postId: other.publish(ann, { at: '2026-11-21T09:00:00.000Z' }).id })
  expect(other.say(ann, 'post.publish', draft, { at: '2026-11-21T08:00:00.000Z', redriven: true }).refused).toBe('already-posted-today')
})
