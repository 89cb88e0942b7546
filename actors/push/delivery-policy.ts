import { createHash } from 'node:crypto'
import { postKey } from '../../contracts/posts.ts'
import type { Reader } from '../kernel/authoring/reader.ts'
import type { SeenEvent } from '../posts/views/as-seen-by.ts'
import { friendsOf } from '../users/views.ts'
import type { NotificationEvent, NotificationEventType } from './notification-event.ts'
import type { Urgency } from './send/encrypt.ts'

export type Language = 'en' | 'de'
/** What a sentence is made of: the first name of the person who acted, the title of the post, what a comment says. */
export type Facts = { readonly who: string; readonly title: string; readonly excerpt: string }
type Sentence = (facts: Facts) => string

type About = Pick<NotificationEvent, 'by' | 'postId' | 'commentId'>
export type Policy<E extends NotificationEventType> = {
  readonly about: (data: SeenEvent<E>['data']) => About
  /** Whom it concerns; the person who acted may be among them, and is not told. */
  readonly audience: (data: SeenEvent<E>['data'], read: Reader) => readonly string[] | Promise<readonly string[]>
  /** How long it is worth telling somebody, in seconds: the push service keeps it as long for a device that is away. */
  readonly ttlSeconds: number
  /** How much it may disturb. */
  readonly urgency: Urgency
  /** What a push service replaces an unread message by: the next one of the same person, post and type, or the next one that is as good. */
  readonly topic: 'post' | 'event'
  /** Where a tap leads, relative to the client. */
  readonly opens: 'person' | 'post'
  readonly text: Readonly<Record<Language, Sentence>>
}

const HOUR_SECONDS = 3_600

type OfPair = SeenEvent<'friend.requested' | 'friend.accepted'>['data']
const ofPair = {
  about: ({ by }: OfPair) => ({ by, postId: null, commentId: null }),
  audience: ({ a, b }: OfPair) => [a, b],
}

/** How people are told of each event. Whether they are at first, while they did not say, stands in the contract (`contracts/push.ts`). */
export const POLICIES: { readonly [E in NotificationEventType]: Policy<E> } = {
  'friend.requested': {
    ...ofPair,
    ttlSeconds: 24 * HOUR_SECONDS,
    urgency: 'normal',
    topic: 'event',
    opens: 'person',
    text: { en: ({ who }) => `${who} asks to be your friend`, de: ({ who }) => `${who} möchte mit dir befreundet sein` },
  },
  'friend.accepted': {
    ...ofPair,
    ttlSeconds: 24 * HOUR_SECONDS,
    urgency: 'normal',
    topic: 'event',
    opens: 'person',
    text: { en: ({ who }) => `${who} is your friend now`, de: ({ who }) => `${who} ist jetzt mit dir befreundet` },
  },
  'post.liked': {
    about: ({ postId, by }) => ({ by, postId, commentId: null }),
    audience: ({ postId }) => [postKey(postId).authorId],
    ttlSeconds: 12 * HOUR_SECONDS,
    urgency: 'low',
    topic: 'post',
    opens: 'post',
    text: { en: ({ who, title }) => `${who} likes “${title}”`, de: ({ who, title }) => `${who} gefällt „${title}“` },
  },
  'comment.added': {
    about: ({ comment: { postId, commentId, by } }) => ({ by, postId, commentId }),
    audience: ({ comment }) => [postKey(comment.postId).authorId],
    ttlSeconds: 24 * HOUR_SECONDS,
    urgency: 'normal',
    topic: 'event',
    opens: 'post',
    text: {
      en: ({ who, title, excerpt }) => `${who} comments on “${title}”: ${excerpt}`,
      de: ({ who, title, excerpt }) => `${who} kommentiert „${title}“: ${excerpt}`,
    },
  },
  'post.published': {
    about: ({ postId }) => ({ by: postKey(postId).authorId, postId, commentId: null }),
    audience: ({ postId }, read) => friendsOf(read, postKey(postId).authorId),
    ttlSeconds: 12 * HOUR_SECONDS,
    urgency: 'normal',
    topic: 'event',
    opens: 'post',
    text: { en: ({ who, title }) => `${who} has posted “${title}”`, de: ({ who, title }) => `${who} hat „${title}“ veröffentlicht` },
  },
}

/** Until when somebody is told of an event, in epoch ms. */
export const deadlineOf = ({ type, at }: NotificationEvent): number => Date.parse(at) + POLICIES[type].ttlSeconds * 1000
export const urgencyOf = ({ type }: NotificationEvent): Urgency => POLICIES[type].urgency
export const textOf = ({ type }: NotificationEvent, language: Language, facts: Facts): string => POLICIES[type].text[language](facts)
export const urlOf = ({ type, by, postId }: NotificationEvent): string =>
  POLICIES[type].opens === 'post' ? `/posts/${postId}` : `/users/${by}`

/**
 * The name under which a push service that keeps a message for an absent device replaces it by the next. Likes of one post replace each other; anything else
 * replaces only itself, when a try whose answer was lost is repeated.
 */
export const topicOf = ({ type, at, by, postId, commentId }: NotificationEvent): string =>
  createHash('sha256')
    .update(POLICIES[type].topic === 'post' ? `${type} ${postId}` : `${type} ${by} ${postId} ${commentId} ${at}`)
    .digest('base64url')
    .slice(0, 32)

/** The language of a profile's tag (BCP 47) as far as there are texts. Not by `Intl`: it throws for tags that the contract takes, as `i-klingon`. */
export const languageOf = (tag: string): Language => (/^de(-|$)/i.test(tag) ? 'de' : 'en')
