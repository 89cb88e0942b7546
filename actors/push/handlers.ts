import type { Mesh } from '../../contracts/mesh.ts'
import { preferences, push } from '../../contracts/push.ts'
import { user } from '../../contracts/users.ts'
import { handlers } from '../authoring/authoring.ts'
import type { EffectContext, Handlers } from '../kernel/authoring/handlers.ts'
import type { NewJob } from '../kernel/ports/jobs/port.ts'
import type { SeenEvent } from '../posts/views/as-seen-by.ts'
import { type PushJob, QUEUE } from './deliver.ts'
import { deadlineOf, POLICIES, type Policy } from './delivery-policy.ts'
import type { NotificationEvent, NotificationEventType } from './notification-event.ts'
import { allowedByPreferences } from './preferences.ts'
import { whoMaySee } from './render-notification.ts'
import { subscriptionsOf } from './views.ts'

/** People looked at together: as many as share a BatchGet. */
const PEOPLE_A_ROUND = 100

/** A job a subscription of those who want to be told now, and may be. */
const jobsFor = async (
  { read, clock }: EffectContext,
  eventId: string,
  event: NotificationEvent,
  people: readonly string[],
): Promise<NewJob[]> => {
  const [profiles, chosen] = await Promise.all([
    read.all(people.map(userId => user.at({ userId }))),
    read.all(people.map(userId => preferences.at({ userId }))),
  ])
  const now = clock.now()
  const willing = people.filter((_, i) => {
    const [person, wishes] = [profiles[i], chosen[i]]
    return person && wishes && allowedByPreferences(event.type, person, wishes, now)
  })
  const reached = await Promise.all(willing.map(async to => ({ to, subscriptions: await subscriptionsOf(read, to) })))
  const reachable = reached.filter(({ subscriptions }) => subscriptions.length > 0)
  const told = new Set(
    await whoMaySee(
      read,
      event,
      reachable.map(({ to }) => to),
    ),
  )
  return reachable
    .filter(({ to }) => told.has(to))
    .flatMap(({ to, subscriptions }) =>
      subscriptions.map(({ id, command }) => {
        const data: PushJob = { happening: event, to, subscription: id, command }
        return { id: `${eventId}.${id}`, data, until: deadlineOf(event) }
      }),
    )
}

/**
 * Tells people's devices of an event: one job a subscription, whose id is made of the event's and the subscription's, so that a repeated event adds none. The
 * event is acknowledged once they are stored.
 */
const tellDevices = async (
  context: EffectContext,
  eventId: string,
  event: NotificationEvent,
  audience: readonly string[],
): Promise<void> => {
  if (deadlineOf(event) <= context.clock.now()) return
  const people = [...new Set(audience)].filter(person => person !== event.by)
  for (let i = 0; i < people.length; i += PEOPLE_A_ROUND) {
    const jobs = await jobsFor(context, eventId, event, people.slice(i, i + PEOPLE_A_ROUND))
    if (jobs.length > 0) await context.jobs.add(QUEUE, jobs)
  }
}

const pushed = {
  effect: async <E extends NotificationEventType>(
    { id, type, at, data }: SeenEvent<E> & { readonly id: string },
    context: EffectContext,
  ) => {
    const policy: Policy<E> = POLICIES[type]
    await tellDevices(context, id, { type, at, ...policy.about(data) }, await policy.audience(data, context.read))
  },
}
const telling = handlers(push, {
  'friend.requested': pushed,
  'friend.accepted': pushed,
  'post.liked': pushed,
  'comment.added': pushed,
  'post.published': pushed,
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
