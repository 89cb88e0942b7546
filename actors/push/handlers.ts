import { type Mesh } from '../../contracts/mesh.ts'
import { postKey } from '../../contracts/posts.ts'
import { preferences, push } from '../../contracts/push.ts'
import { user } from '../../contracts/users.ts'
import { handlers } from '../authoring/authoring.ts'
import type { EffectContext, Handlers } from '../kernel/authoring/handlers.ts'
import type { NewJob } from '../kernel/ports/jobs/port.ts'
import { friendsOf } from '../users/views.ts'
import { type Delivery, QUEUE } from './deliver.ts'
import { dueUntil } from './delivery-policy.ts'
import { wanted } from './preferences.ts'
import { type Happening, noticeFor } from './render-notification.ts'
import { devicesOf } from './views.ts'

/** People looked at together: as many as share a BatchGet. */
const TOGETHER = 100

/** A job a device of those who want to be told now, and may be. */
const jobsFor = async (
  { read, clock }: EffectContext,
  eventId: string,
  happening: Happening,
  people: readonly string[],
): Promise<NewJob[]> => {
  const [profiles, chosen] = await Promise.all([
    read.all(people.map(userId => user.at({ userId }))),
    read.all(people.map(userId => preferences.at({ userId }))),
  ])
  const now = clock.now()
  const told = people.filter((_, i) => {
    const [person, wishes] = [profiles[i], chosen[i]]
    return person && wishes && wanted(happening.type, person, wishes, now)
  })
  const jobs = told.map(async (to): Promise<NewJob[]> => {
    const devices = await devicesOf(read, to)
    if (devices.length === 0 || (await noticeFor(read, happening, to)) === undefined) return []
    return devices.map(({ id, command }) => {
      const data: Delivery = { happening, to, subscription: id, command }
      return { id: `${eventId}.${id}`, data, until: dueUntil(happening) }
    })
  })
  return (await Promise.all(jobs)).flat()
}

/**
 * Tells people's devices of a happening: one job a device, whose id is made of the event's and the device's, so that a repeated event adds none. The event
 * is acknowledged once they are stored.
 */
const tellDevices = async (context: EffectContext, eventId: string, happening: Happening, audience: readonly string[]): Promise<void> => {
  if (dueUntil(happening) <= context.clock.now()) return
  const people = [...new Set(audience)].filter(person => person !== happening.by)
  for (let i = 0; i < people.length; i += TOGETHER) {
    const jobs = await jobsFor(context, eventId, happening, people.slice(i, i + TOGETHER))
    if (jobs.length > 0) await context.jobs.add(QUEUE, jobs)
  }
}

const between = {
  effect: async (
    { id, type, at, data: { a, b, by } }: { id: string; type: 'friend.requested' | 'friend.accepted'; at: string; data: Between },
    context: EffectContext,
  ) => tellDevices(context, id, { type, at, by, postId: null, commentId: null }, [a, b]),
}
type Between = { readonly a: string; readonly b: string; readonly by: string }

const telling = handlers(push, {
  'friend.requested': between,
  'friend.accepted': between,
  'post.liked': {
    effect: async ({ id, type, at, data: { postId, by } }, context) =>
      tellDevices(context, id, { type, at, by, postId, commentId: null }, [postKey(postId).authorId]),
  },
  'comment.added': {
    effect: async ({ id, type, at, data: { comment } }, context) =>
      tellDevices(context, id, { type, at, by: comment.by, postId: comment.postId, commentId: comment.commentId }, [
        postKey(comment.postId).authorId,
      ]),
  },
  'post.published': {
    effect: async ({ id, type, at, data: { postId, authorId } }, context) =>
      tellDevices(context, id, { type, at, by: authorId, postId, commentId: null }, await friendsOf(context.read, authorId)),
  },
})

const nothing = { toCommands: () => [] }
const silent = handlers(push, {
  'friend.requested': nothing,
  'friend.accepted': nothing,
  'post.liked': nothing,
  'comment.added': nothing,
  'post.published': nothing,
})

/** What push does about events. @param sends whether this deployment can send: where it cannot, jobs would wait for nobody */
export const pushHandlers = (sends: boolean): Handlers<typeof push, Mesh> => (sends ? telling : silent)
