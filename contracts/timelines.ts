import { z } from 'zod'
import { actor, query } from './declare/messages.ts'
import { Time } from './declare/text.ts'
import { Post } from './posts.ts'

/** What a page of the timeline covers: the times of its newest and oldest post (null when it is empty), and whether nothing is left. */
export const Covers = z.object({ from: Time.nullable(), to: Time.nullable(), complete: z.boolean() })

/** Timelines are read, not written: this actor answers them, and brings events to the sockets of those who may see them. */
export const timelines = actor('timelines', {
  records: {},
  refusals: {},
  events: {},
  commands: {},
  queries: {
    'timeline.get': query({
      http: 'GET /v1/timeline',
      who: 'signed-in',
      summary: 'The current posts of all your friends, newest first',
      data: z.object({ include: z.enum(['self']).optional().meta({ description: '`self` adds your own post' }) }),
      answer: Post,
      list: true,
      refuses: [],
      extra: { covers: Covers },
    }),
  },
  subscribes: [
    'post.published',
    'post.edited',
    'post.deleted',
    'post.liked',
    'post.unliked',
    'comment.added',
    'comment.edited',
    'comment.deleted',
    'friend.requested',
    'friend.accepted',
    'friend.removed',
    'user.updated',
    'notification.created',
    'notification.read',
  ],
})
