/** To whom: what the browser made for this. */
export type Keys = { readonly endpoint: string; readonly p256dh: string; readonly auth: string }
export type Urgency = 'low' | 'normal'
export type Sealed = { readonly headers: Readonly<Record<string, string>>; readonly body: Buffer }

/**
 * Encrypts a message for one device (RFC 8291, aes128gcm), with the headers that say how to keep it until the device is there.
 * @param ttl seconds
 * @param topic of messages with the same one, a push service keeps the newest: at most 32 characters of base64url
 * @throws when the device's keys are none
 */
export const sealed = async (
  { endpoint, p256dh, auth }: Keys,
  text: string,
  { ttl, urgency, topic }: { readonly ttl: number; readonly urgency: Urgency; readonly topic: string },
): Promise<Sealed> => {
  // It takes a while to load, and only the worker that sends needs it.
  const { default: webPush } = await import('web-push')
  // No VAPID details: the header costs more than the rest, and ours is kept (vapid.ts).
  const { headers, body } = webPush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, text, { TTL: ttl, urgency, topic })
  return { headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)])), body }
}
