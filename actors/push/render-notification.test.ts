import { expect, test } from 'vitest'
import { ann, bob, cem, dan, village } from '../testing/village.ts'
import type { Language } from './delivery-policy.ts'
import type { NotificationEvent } from './notification-event.ts'
import { renderNotification, whoMaySee } from './render-notification.ts'

const at = '2026-11-20T12:00:00.000Z'
/** Ann has a post that Bob, a friend, likes and comments on; Cem asks her; Dan has accepted her. */
const square = () => {
  const w = village(ann, bob, cem, dan)
  w.befriend(ann, bob)
  w.befriend(ann, dan)
  const { id: postId } = w.publish(ann)
  w.say(bob, 'post.like', { postId })
  const commentId = w.comment(bob, postId)
  w.say(cem, 'friend.request', { userId: ann })
  const event = (type: NotificationEvent['type'], by: string, over: Partial<NotificationEvent> = {}): NotificationEvent => {
    return { type, at, by, postId: null, commentId: null, ...over }
  }
  const events = {
    requested: event('friend.requested', cem),
    accepted: event('friend.accepted', dan),
    liked: event('post.liked', bob, { postId }),
    commented: event('comment.added', bob, { postId, commentId }),
    published: event('post.published', ann, { postId }),
  }
  return { w, postId, commentId, events }
}

test('the text names the person who acted, in the language of the one who is told', async () => {
  const { w, events } = square()
  const read = await w.read()
  const bodies = async (language: Language) => [
    ...(await Promise.all(
      [events.requested, events.accepted, events.liked, events.commented].map(
        async e => (await renderNotification(read, e, ann, language))?.body,
      ),
    )),
    (await renderNotification(read, events.published, bob, language))?.body,
  ]
  expect(await bodies('en')).toEqual([
    'Cem asks to be your friend',
    'Dan is your friend now',
    'Bob likes “Title”',
    'Bob comments on “Title”: Well said',
    'Ann has posted “Title”',
  ])
  expect(await bodies('de')).toEqual([
    'Cem möchte mit dir befreundet sein',
    'Dan ist jetzt mit dir befreundet',
    'Bob gefällt „Title“',
    'Bob kommentiert „Title“: Well said',
    'Ann hat „Title“ veröffentlicht',
  ])
})

test('what does not stand any more, or may not be seen, is told to nobody, and nobody is told of themselves', async () => {
  const { w, postId, commentId, events } = square()
  const everybody = [ann, bob, cem, dan]
  const told = async (event: NotificationEvent) => [...(await whoMaySee(await w.read(), event, everybody))].sort()
  expect(await told(events.requested)).toEqual([ann])
  expect(await told(events.published)).toEqual([bob, dan])
  expect(await told(events.liked)).toContain(ann)
  w.say(bob, 'post.unlike', { postId })
  w.say(bob, 'comment.delete', { postId, commentId })
  w.say(cem, 'friend.withdraw', { userId: ann })
  w.say(dan, 'user.block', { userId: ann })
  for (const event of [events.liked, events.commented, events.requested, events.accepted]) expect(await told(event)).toEqual([])
  expect(await told(events.published)).toEqual([bob])
})
