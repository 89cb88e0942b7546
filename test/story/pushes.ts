import type { Client } from '../../contracts/client/client.ts'
import type { Browser, PushService } from '../push-service.ts'
import { until } from '../until.ts'
import type { Teller } from './teller.ts'

/** Devices of somebody who is away from the screen: they hear through a push service, which the mesh has been allowed to call. */
export type Phones = { readonly phone: Browser; readonly laptop: Browser; readonly service: PushService }

/** Subscribes a phone and a laptop of Ana's. */
export const subscribePhones = async (ana: Client, service: PushService, { scene, same }: Teller): Promise<Phones> => {
  scene('Ana has her phone and her laptop told of what happens')
  const { publicKey } = await ana.ask('push.key', {})
  const phones = { phone: service.subscribe(publicKey), laptop: service.subscribe(publicKey), service }
  for (const { subscription } of [phones.phone, phones.laptop]) await ana.send('push.subscribe', subscription)
  same('Both are subscribed', (await ana.ask('push.subscriptions', {})).items.length, 2)
  // One answer of a push service that has too much to do: what it did not take comes again.
  phones.phone.fail({ status: 503 }, 1)
  return phones
}

/** What has been said and done below her post has reached both. */
export const phonesRing = async (ana: Client, { phone, laptop, service }: Phones, { scene, comes, same }: Teller) => {
  scene('Ana’s devices ring')
  const shows = (device: Browser, text: string) =>
    until(text, () => (device.received.some(m => m.body.startsWith(text)) ? true : undefined))
  const like = 'Ben likes “A quiet morning”'
  const comment = 'Chi comments on “A quiet morning”: Which paper?'
  await comes(`Her laptop shows: ${like}`, shows(laptop, like))
  await comes(`… and: ${comment}`, shows(laptop, comment))
  await comes('Her phone shows both, though its push service was busy at first', Promise.all([shows(phone, like), shows(phone, comment)]))
  same('The push service found every message signed, encrypted for its device and in order', service.wrong, [])
  const noted = until('the times of the last deliveries', async () => {
    const { items } = await ana.ask('push.subscriptions', {})
    return items.every(s => s.lastDeliveredAt !== null) || undefined
  })
  await comes('Ana sees when each was told last', noted)
}
