import { expect, test } from 'vitest'
import { user } from '../../contracts/users.ts'
import type { Circumstances } from '../kernel/testing/world.ts'
import { actorNamed } from '../testing/catalog.ts'
import { world } from '../testing/world.ts'

const ann = 'a0000000-0000-4000-8000-000000000001'
const draft = { firstName: 'Ann', lastName: 'Ash' }
const started = () => {
  const w = world([actorNamed('users')])
  w.say(ann, 'user.register', { userId: ann, email: 'ann@example.org' })
  return w
}

test('a profile begins with the first PUT, keeps the e-mail address of the registration and takes defaults', () => {
  const w = started()
  expect(w.say(ann, 'user.replace', { ...draft, firstName: '  Ann ' })).toMatchObject({
    status: 201,
    version: 1,
    body: {
      id: ann,
      firstName: 'Ann',
      headline: '',
      birthday: null,
      timeZone: 'UTC',
      language: 'en',
      friendCount: 0,
      relation: 'self',
      email: 'ann@example.org',
      avatar: null,
    },
    events: [{ type: 'user.created', data: { userId: ann, profile: { firstName: 'Ann' } } }],
  })
})

test('a sign-up that is told late still brings the e-mail address; told again it changes nothing', () => {
  const w = world([actorNamed('users')])
  expect(w.say(ann, 'user.replace', draft).body).toMatchObject({ email: null })
  expect(w.say(ann, 'user.register', { userId: ann, email: 'ann@example.org' }).status).toBe(204)
  expect(w.at(user.at({ userId: ann }))).toMatchObject({ status: 'live', email: 'ann@example.org', contentVersion: 1 })
  expect(w.say(ann, 'user.register', { userId: ann, email: 'other@example.org' }).events).toEqual([])
})

test('PUT replaces all of the content, PATCH what it names; null goes back to the default', () => {
  const w = started()
  w.say(ann, 'user.replace', { ...draft, headline: 'Baker', bio: 'Bread.', timeZone: 'Europe/Berlin' })
  expect(w.say(ann, 'user.edit', { headline: null, location: 'Bonn' }).body).toMatchObject({
    headline: '',
    location: 'Bonn',
    bio: 'Bread.',
  })
  expect(w.say(ann, 'user.replace', { ...draft, lastName: 'Oak' })).toMatchObject({
    status: 200,
    version: 3,
    body: { lastName: 'Oak', bio: '', location: '', timeZone: 'UTC' },
  })
})

test('what changes nothing says nothing and keeps the version', () => {
  const w = started()
  w.say(ann, 'user.replace', draft)
  expect(w.say(ann, 'user.edit', { firstName: 'Ann', bio: null })).toMatchObject({ status: 200, version: 1, events: [] })
  expect(w.say(ann, 'user.replace', draft)).toMatchObject({ status: 200, version: 1, events: [] })
})

test('If-Match takes the version that stands, and none before there is a profile', () => {
  const w = started()
  expect(w.say(ann, 'user.replace', draft, { ifMatch: [1] }).refused).toBe('version-mismatch')
  w.say(ann, 'user.replace', draft)
  expect(w.say(ann, 'user.edit', { bio: 'Hm.' }, { ifMatch: [2, 3] }).refused).toBe('version-mismatch')
  expect(w.say(ann, 'user.edit', { bio: 'Hm.' }, { ifMatch: [1] })).toMatchObject({ status: 200, version: 2 })
})

test('conditions hold whether there is a profile or not', () => {
  const w = started()
  const replace = (c: Circumstances) => w.say(ann, 'user.replace', draft, c).refused ?? 'done'
  expect([replace({ ifMatch: '*' }), replace({ ifMatch: [] }), replace({ ifMatch: [1] })]).toEqual(Array(3).fill('version-mismatch'))
  // Nothing is there that could be at that version.
  expect(started().say(ann, 'user.replace', draft, { ifNoneMatch: [1] }).status).toBe(201)
  expect(replace({ ifNoneMatch: '*' })).toBe('done')
  expect([replace({ ifNoneMatch: '*' }), replace({ ifNoneMatch: [7, 1] }), replace({ ifMatch: [1], ifNoneMatch: [1] })]).toEqual(
    Array(3).fill('version-mismatch'),
  )
  expect([replace({ ifMatch: '*' }), replace({ ifNoneMatch: [] }), replace({ ifMatch: [1], ifNoneMatch: [2] })]).toEqual(
    Array(3).fill('done'),
  )
  for (const c of [{ ifNoneMatch: '*' }, { ifNoneMatch: [1] }] as const)
    expect(w.say(ann, 'user.edit', { bio: 'Hm.' }, c).refused).toBe('version-mismatch')
  expect(w.say(ann, 'user.edit', { bio: 'Hm.' }, { ifMatch: '*' }).version).toBe(2)
})

test('PATCH needs a profile', () => {
  expect(started().say(ann, 'user.edit', { bio: 'Hm.' }).refused).toBe('profile-required')
})

test('a birthday lies in the past of the person’s own calendar', () => {
  const w = started()
  // At 09:00 UTC it is the 20th in most of the world, and still the 19th on Midway.
  expect(w.say(ann, 'user.replace', { ...draft, birthday: '2026-11-20' }).refused).toBe('validation-failed')
  expect(w.say(ann, 'user.replace', { ...draft, birthday: '2026-11-19', timeZone: 'Pacific/Midway' }).refused).toBe('validation-failed')
  expect(w.say(ann, 'user.replace', { ...draft, birthday: '2026-11-19' }).status).toBe(201)
  expect(w.say(ann, 'user.edit', { birthday: '2027-01-01' }).refused).toBe('validation-failed')
})

test('an edit that was a dead letter does not undo a newer one', () => {
  const w = started()
  w.say(ann, 'user.replace', draft)
  w.say(ann, 'user.edit', { bio: 'new' }, { at: '2026-11-20T10:00:00.000Z' })
  expect(w.say(ann, 'user.edit', { bio: 'old' }, { at: '2026-11-20T09:30:00.000Z', redriven: true })).toMatchObject({
    events: [],
    body: { bio: 'new' },
  })
  expect(w.say(ann, 'user.edit', { bio: 'newest' }, { at: '2026-11-20T10:30:00.000Z', redriven: true }).events).toHaveLength(1)
})
