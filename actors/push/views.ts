import { refuse } from '../../contracts/declare/rules.ts'
import { type Device, device, MOST_SUBSCRIPTIONS, preferences, push } from '../../contracts/push.ts'
import { descending, fillPage } from '../kernel/authoring/page.ts'
import { defineViews, type Reader } from '../kernel/authoring/reader.ts'

/** A person's subscriptions: as few as fit one page. */
export const devicesOf = async (read: Reader, userId: string): Promise<readonly Device[]> =>
  (await read.range(device, { userId }, { limit: MOST_SUBSCRIPTIONS })).items.map(i => i.value)

/** @param publicKey the deployment's VAPID key; undefined where it sends nothing */
export const pushViews = (publicKey: string | undefined) =>
  defineViews(push, {
    'push.key': async () =>
      publicKey === undefined ? refuse('not-found', 'this deployment sends no push messages') : { body: { publicKey } },

    'push.subscriptions': async ({ by, ...page }, read) => {
      const newestFirst = descending(await devicesOf(read, by), d => `${d.createdAt}|${d.id}`)
      return fillPage(page, newestFirst.source, async devices =>
        devices.map(({ id, endpoint, expirationTime, createdAt, lastDeliveredAt }) => ({
          id,
          endpoint,
          expirationTime,
          createdAt,
          lastDeliveredAt,
        })),
      )
    },

    'push.preferences': async ({ by }, read) => {
      const { types, quietHours } = await read.get(preferences.at({ userId: by }))
      return { body: { types, quietHours } }
    },
  })
