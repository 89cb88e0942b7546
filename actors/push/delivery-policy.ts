import { createHash } from 'node:crypto'
import type { Happening } from './render-notification.ts'
import type { Urgency } from './send/encrypt.ts'

const HOUR = 3_600

/** How long it is worth telling somebody of each, in seconds, and how much it may disturb. */
const WORTH: Readonly<Record<Happening['type'], { readonly seconds: number; readonly urgency: Urgency }>> = {
  'friend.requested': { seconds: 24 * HOUR, urgency: 'normal' },
  'friend.accepted': { seconds: 24 * HOUR, urgency: 'normal' },
  'post.liked': { seconds: 12 * HOUR, urgency: 'low' },
  'comment.added': { seconds: 24 * HOUR, urgency: 'normal' },
  'post.published': { seconds: 12 * HOUR, urgency: 'normal' },
}

/** Until when somebody is told of a happening, in epoch ms. */
export const dueUntil = ({ type, at }: Happening): number => Date.parse(at) + WORTH[type].seconds * 1000
export const urgencyOf = ({ type }: Happening): Urgency => WORTH[type].urgency

/**
 * Under what a push service that keeps a message for an absent device replaces it by the next. Likes of one post replace each other; anything else only
 * itself, when a try whose answer was lost is repeated.
 */
export const topicOf = ({ type, at, by, postId, commentId }: Happening): string =>
  createHash('sha256')
    .update(type === 'post.liked' ? `${type} ${postId}` : `${type} ${by} ${postId} ${commentId} ${at}`)
    .digest('base64url')
    .slice(0, 32)
