import { expect, test } from 'vitest'
import { ProfileDraft } from '../../contracts/users.ts'
import { languageOf, topicOf, urgencyOf } from './delivery-policy.ts'
import type { NotificationEvent } from './notification-event.ts'

test('German is spoken to whom the profile’s tag says so, English to everybody else, whatever tag the contract takes', () => {
  const accepted = [
    'de',
    'de-CH',
    'DE-at',
    'de-Latn-DE-1996',
    'de-x-hi',
    'en',
    'fr',
    'den',
    'x-de',
    'i-klingon',
    'sgn-ch-de',
    'x-default',
    'en-de',
  ]
  const spoken = accepted.map(language => languageOf(ProfileDraft.parse({ firstName: 'A', lastName: 'B', language }).language))
  expect(spoken).toEqual([...Array(5).fill('de'), ...Array(8).fill('en')])
})

test('likes of one post replace each other at a push service; anything else replaces only itself', () => {
  const event = (over: Partial<NotificationEvent>): NotificationEvent => {
    return { type: 'comment.added', at: '2026-11-20T12:00:00.000Z', by: 'bob', postId: 'p', commentId: 'c', ...over }
  }
  const topics = (...overs: Partial<NotificationEvent>[]) => new Set(overs.map(over => topicOf(event(over)))).size
  expect(topics({ type: 'post.liked', by: 'bob' }, { type: 'post.liked', by: 'cem', at: '2026-11-20T13:00:00.000Z' })).toBe(1)
  expect(topics({ type: 'post.liked' }, { type: 'post.liked', postId: 'q' })).toBe(2)
  expect(topics({}, {})).toBe(1)
  expect(topics({}, { commentId: 'd' }, { by: 'cem' }, { type: 'post.published' }, { postId: 'q' })).toBe(5)
  expect(topicOf(event({}))).toMatch(/^[\w-]{32}$/)
  expect([urgencyOf(event({})), urgencyOf(event({ type: 'post.liked' }))]).toEqual(['normal', 'low'])
})
