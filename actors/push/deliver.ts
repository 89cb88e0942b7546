import { z } from 'zod'
import { preferences, type Subscription, subscription } from '../../contracts/push.ts'
import { user } from '../../contracts/users.ts'
import type { JobContext, JobQueue } from '../kernel/authoring/jobs.ts'
import type { Job, Outcome } from '../kernel/ports/jobs/port.ts'
import { languageOf, topicOf, urgencyOf } from './delivery-policy.ts'
import { refusedEndpoint } from './endpoint.ts'
import { NotificationEvent } from './notification-event.ts'
import { allowedByPreferences } from './preferences.ts'
import { renderNotification } from './render-notification.ts'
import { pushSender, type Sent } from './send/sender.ts'
import { httpTransport, type Transport } from './send/transport.ts'
import type { Vapid } from './send/vapid.ts'

export const QUEUE = 'push'
const SLOTS = 64
/** A subscription's time of its last delivery is written this often at the most, in ms. */
const NOTED_INTERVAL_MS = 60_000

/**
 * A job: tell a device of an event. `command` is the one that made the device's subscription, so that a newer one of the same endpoint is not meant. Jobs are
 * stored under these names.
 */
const PushJob = z.object({ happening: NotificationEvent, to: z.string(), subscription: z.string(), command: z.string() })
export type PushJob = z.infer<typeof PushJob>

export type Sending = {
  readonly vapid: Vapid
  /** Origins that subscriptions may have besides those of the known push services. */
  readonly allowed: readonly string[]
  /** HTTP with the patience of `PATIENCE` by default. */
  readonly transport?: () => Transport
}

/** The subscription and what is sent to it, as things stand now; undefined if it is another's by now, or there is nothing to tell any more. */
const current = async ({ read, clock }: JobContext, { happening: event, to, subscription: id, command }: PushJob) => {
  const [found, person, wishes] = await Promise.all([
    read.get(subscription.at({ userId: to, id })),
    read.get(user.at({ userId: to })),
    read.get(preferences.at({ userId: to })),
  ])
  if (found?.command !== command || person.status !== 'live' || !allowedByPreferences(event.type, person, wishes, clock.now()))
    return undefined
  const message = await renderNotification(read, event, to, languageOf(person.profile.language))
  return message && { found, message }
}

/** How long one that refuses us is not tried again, in ms. */
const REFUSED_RETRY_MS = 60_000

/** Sends push messages: a job a device. */
export const deliveries = ({ vapid, allowed, transport = () => httpTransport(SLOTS) }: Sending): JobQueue => ({
  queue: QUEUE,
  options: { concurrency: SLOTS, longestPauseMs: 5 * 60_000 },
  open: context => {
    const { clock, random, log, metrics } = context
    const http = transport()
    const send = pushSender({
      vapid,
      allowed,
      http,
      now: clock.now,
      elapsed: clock.elapsed,
      random,
      slots: SLOTS,
      refusing: (origin, refuses) => {
        metrics.refusing.set({ origin }, refuses ? 1 : 0)
        if (refuses) log.error({ origin }, 'a push service refuses us, whichever subscription we send to: look at the VAPID keys')
        else log.info({ origin }, 'a push service takes our messages again')
      },
    })

    const expire = ({ id, userId, command }: Subscription) =>
      context.sendCommand({ id: `expire.${id}.${command}`.slice(0, 80), by: userId, type: 'push.expire', data: { id, userId, command } })
    const noted = async (to: Subscription) => {
      const now = clock.now()
      if (to.lastDeliveredAt !== null && now - Date.parse(to.lastDeliveredAt) < NOTED_INTERVAL_MS) return
      // It has been delivered: to fail now would deliver it again.
      await context
        .patchItem(subscription.at({ userId: to.userId, id: to.id }), { lastDeliveredAt: new Date(now).toISOString() })
        .catch(err => log.debug({ err }, 'the time of a delivery was not noted'))
    }

    const concluded = async (to: Subscription, sent: Sent, said: string): Promise<Outcome> => {
      switch (sent.kind) {
        case 'taken':
          await noted(to)
          return 'done'
        case 'gone':
          await expire(to)
          return 'done'
        case 'unusable':
          await expire(to)
          return { giveUp: said }
        case 'hopeless':
        case 'forbidden':
          return { giveUp: said }
        case 'refused':
          return { retry: said, afterMs: REFUSED_RETRY_MS }
        case 'later':
          return { retry: said, afterMs: sent.afterMs, untried: true }
        case 'crowded':
        case 'busy':
        case 'failed':
          return { retry: said, ...(sent.afterMs === undefined ? {} : { afterMs: sent.afterMs }) }
      }
    }

    const handle = async (job: Job): Promise<Outcome> => {
      const pushJob = PushJob.parse(job.data)
      const now = await current(context, pushJob)
      if (!now) return 'done'
      const { found: to, message } = now
      // The list of origins may be another than when it was subscribed.
      const why = refusedEndpoint(to.endpoint, allowed)
      if (why) return { giveUp: why }
      if (to.expirationTime !== null && to.expirationTime <= clock.now()) {
        await expire(to)
        return 'done'
      }
      const { happening: event } = pushJob
      const ttl = Math.max(0, Math.floor((job.until - clock.now()) / 1000))
      const { sent, said } = await send(to, JSON.stringify(message), { ttl, urgency: urgencyOf(event), topic: topicOf(event) })
      return concluded(to, sent, said)
    }
    return { handle, close: http.close }
  },
})
