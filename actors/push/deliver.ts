import { z } from 'zod'
import { type Device, device, preferences } from '../../contracts/push.ts'
import { user } from '../../contracts/users.ts'
import type { JobContext, JobQueue } from '../kernel/authoring/jobs.ts'
import type { Job, Outcome } from '../kernel/ports/jobs/port.ts'
import { topicOf, urgencyOf } from './delivery-policy.ts'
import { refusedEndpoint } from './endpoint.ts'
import { wanted } from './preferences.ts'
import { Happening, noticeFor } from './render-notification.ts'
import { pushSender, type Sent } from './send/sender.ts'
import { httpTransport, type Transport } from './send/transport.ts'
import type { Vapid } from './send/vapid.ts'

export const QUEUE = 'push'
const SLOTS = 64
/** A device's time of its last delivery is written this often at the most, in ms. */
const NOTED_MS = 60_000

/** A job: tell a device of a happening. `command` is the one that made the device's subscription, so that a newer one of the same endpoint is not meant. */
const Delivery = z.object({ happening: Happening, to: z.string(), subscription: z.string(), command: z.string() })
export type Delivery = z.infer<typeof Delivery>

export type Sending = {
  readonly vapid: Vapid
  /** Origins that subscriptions may have besides those of the known push services. */
  readonly allowed: readonly string[]
  /** HTTP with the patience of `PATIENCE` by default. */
  readonly transport?: () => Transport
}

/** The device and what it is told, as things stand now; undefined if it is another's by now, or there is nothing to tell any more. */
const current = async ({ read, clock }: JobContext, { happening, to, subscription, command }: Delivery) => {
  const [found, person, wishes, notice] = await Promise.all([
    read.get(device.at({ userId: to, id: subscription })),
    read.get(user.at({ userId: to })),
    read.get(preferences.at({ userId: to })),
    noticeFor(read, happening, to),
  ])
  if (found?.command !== command || !notice || !wanted(happening.type, person, wishes, clock.now())) return undefined
  return { device: found, notice }
}

/** How long one that refuses us is not tried again, in ms. */
const REFUSED_MS = 60_000

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

    const expire = ({ id, userId, command }: Device) =>
      context.sendCommand({ id: `expire.${id}.${command}`.slice(0, 80), by: userId, type: 'push.expire', data: { id, userId, command } })
    const noted = async (to: Device) => {
      const now = clock.now()
      if (to.lastDeliveredAt !== null && now - Date.parse(to.lastDeliveredAt) < NOTED_MS) return
      // It has been delivered: to fail now would deliver it again.
      await context
        .patchItem(device.at({ userId: to.userId, id: to.id }), { lastDeliveredAt: new Date(now).toISOString() })
        .catch(err => log.debug({ err }, 'the time of a delivery was not noted'))
    }

    const concluded = async (to: Device, sent: Sent, said: string): Promise<Outcome> => {
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
          return { retry: said, afterMs: REFUSED_MS }
        case 'later':
          return { retry: said, afterMs: sent.afterMs, untried: true }
        case 'crowded':
        case 'busy':
        case 'failed':
          return { retry: said, ...(sent.afterMs === undefined ? {} : { afterMs: sent.afterMs }) }
      }
    }

    const handle = async (job: Job): Promise<Outcome> => {
      const delivery = Delivery.parse(job.data)
      const now = await current(context, delivery)
      if (!now) return 'done'
      const { device: to, notice } = now
      // The list of origins may be another than when it was subscribed.
      const why = refusedEndpoint(to.endpoint, allowed)
      if (why) return { giveUp: why }
      if (to.expirationTime !== null && to.expirationTime <= clock.now()) {
        await expire(to)
        return 'done'
      }
      const { happening } = delivery
      const ttl = Math.max(0, Math.floor((job.until - clock.now()) / 1000))
      const { sent, said } = await send(to, JSON.stringify(notice), { ttl, urgency: urgencyOf(happening), topic: topicOf(happening) })
      return concluded(to, sent, said)
    }
    return { handle, close: http.close }
  },
})
