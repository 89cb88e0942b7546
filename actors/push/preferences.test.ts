import { expect, test } from 'vitest'
import { preferences } from '../../contracts/push.ts'
import { user } from '../../contracts/users.ts'
import { ann, village } from '../testing/village.ts'
import { allowedByPreferences, isQuiet, timeOfDay } from './preferences.ts'

test('quiet hours begin with the first minute and end before the last, over midnight, too', () => {
  const quiet = (from: string, to: string) =>
    ['00:00', '06:59', '07:00', '12:00', '21:59', '22:00', '23:59'].filter(t => isQuiet({ from, to }, t))
  expect(quiet('22:00', '07:00')).toEqual(['00:00', '06:59', '22:00', '23:59'])
  expect(quiet('07:00', '22:00')).toEqual(['07:00', '12:00', '21:59'])
})

test('the time of day is the zone’s, with daylight saving', () => {
  expect(timeOfDay('UTC', Date.parse('2026-07-01T23:05:59.999Z'))).toBe('23:05')
  expect(timeOfDay('Europe/Berlin', Date.parse('2026-07-01T23:05:00.000Z'))).toBe('01:05')
  expect(timeOfDay('Europe/Berlin', Date.parse('2026-12-01T23:05:00.000Z'))).toBe('00:05')
  expect(timeOfDay('Asia/Kathmandu', Date.parse('2026-12-01T00:00:00.000Z'))).toBe('05:45')
})

test('people are told what they want, when they want it', () => {
  const w = village(ann)
  w.say(ann, 'user.edit', { timeZone: 'Asia/Tokyo' })
  w.say(ann, 'push.prefer', { types: { 'post.liked': false }, quietHours: { from: '22:00', to: '07:00' } })
  const [person, wishes] = [w.at(user.at({ userId: ann })), w.at(preferences.at({ userId: ann }))]
  const noon = Date.parse('2026-11-20T03:00:00.000Z')
  expect(allowedByPreferences('comment.added', person, wishes, noon)).toBe(true)
  expect(allowedByPreferences('post.liked', person, wishes, noon)).toBe(false)
  expect(allowedByPreferences('post.published', person, wishes, noon)).toBe(false)
  expect(allowedByPreferences('comment.added', person, wishes, Date.parse('2026-11-20T13:00:00.000Z'))).toBe(false)
  expect(allowedByPreferences('comment.added', user.initial, wishes, noon)).toBe(false)
})
