import { refuse } from '../../contracts/declare/rules.ts'
import { MOST_SUBSCRIPTIONS, preferences, push, type Subscription, subscription } from '../../contracts/push.ts'
import { descending, fillPage } from '../kernel/authoring/page.ts'
import { defineViews, type Reader } from '../kernel/authoring/reader.ts'
/** A person's subscriptions: as few as fit one page. */
export const subscriptionsOf = async (read: Reader, userId: string): Promise<readonly Subscription[]> =>
  (await read.range(subscription, { userId }, { limit: MOST_SUBSCRIPTIONS })).items.map(i => i.value)

/** @param publicKey the deployment's VAPID key; undefined where it sends nothing */
export const pushViews = (publicKey: string | undefined) =>
  defineViews(push, {
    'push.key': async () =>
      publicKey === undefined ? refuse('not-found', 'this deployment sends no push messages') : { body: { publicKey } },

    'push.subscriptions': async ({ by, ...page }, read) => {
      const newestFirst = descending(await subscriptionsOf(read, by), d => `${d.createdAt}|${d.id}`)
      return fillPage(page, newestFirst.source, async subscriptions =>
        subscriptions.map(({ id, endpoint, expirationTime, createdAt, lastDeliveredAt }) => ({
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
