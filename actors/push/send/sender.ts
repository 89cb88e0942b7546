import { ForbiddenAddress } from './address.ts'
import { judged, type Verdict } from './answer.ts'
import { type Keys, type Sealed, sealed, type Urgency } from './encrypt.ts'
import { type OriginsOptions, pushOrigins } from './origins.ts'
import type { Transport } from './transport.ts'
import { type Vapid, vapidAuthorization } from './vapid.ts'

/**
 * What became of a message: the service's verdict; `forbidden`: its name leads to no public address; `unusable`: nothing can be encrypted for such a key;
 * `later`: its service is left alone for so many ms; `crowded`: it has as many requests as it may have.
 */
export type Sent = Verdict | { readonly kind: 'forbidden' | 'unusable' } | { readonly kind: 'later' | 'crowded'; readonly afterMs: number }

export type SenderOptions = OriginsOptions & {
  /** Epoch ms: signatures and dates of `Retry-After` are others' time. */
  readonly now: () => number
  readonly vapid: Vapid
  /** Origins that may be anywhere. */
  readonly allowed: readonly string[]
  readonly http: Transport
}

/** What Node says of a key that is no point of the curve: the right form is all that was asked of it when it came. */
const isBadKey = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY'
const explained = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error))

/** Sends messages to devices: encrypted, signed, and only when their push service may be called. */
export const pushSender = ({ vapid, allowed, http, ...options }: SenderOptions) => {
  const authorization = vapidAuthorization(vapid, options.now)
  const origins = pushOrigins(options)

  /** One request. The verdict is the service's; none where it did not come to that. */
  const attempt = async (endpoint: string, origin: string, { headers, body }: Sealed) => {
    try {
      const signed = { ...headers, authorization: authorization(origin) }
      const answer = await http.send({ endpoint, headers: signed, body, anywhere: allowed.includes(origin) })
      return { sent: judged(answer, options.now()), said: `${origin} answered ${answer.status}` }
    } catch (error) {
      const said = `${origin}: ${explained(error)}`
      return error instanceof ForbiddenAddress
        ? { sent: { kind: 'forbidden' as const }, said }
        : { sent: { kind: 'failed' as const }, said }
    }
  }

  /**
   * @param to the device; `id` tells it from others of its service
   * @returns what became of it, and that in words
   */
  return async (
    to: Keys & { readonly id: string },
    text: string,
    how: { readonly ttl: number; readonly urgency: Urgency; readonly topic: string },
  ): Promise<{ readonly sent: Sent; readonly said: string }> => {
    const { origin } = new URL(to.endpoint)
    const slot = origins.enter(origin, to.id)
    if ('wait' in slot) return { sent: { kind: slot.crowded ? 'crowded' : 'later', afterMs: slot.wait }, said: slot.why }
    let verdict: Verdict | undefined
    try {
      const { sent, said } = await attempt(to.endpoint, origin, await sealed(to, text, how))
      if (sent.kind !== 'forbidden') verdict = sent
      return { sent, said }
    } catch (error) {
      if (!isBadKey(error)) throw error
      return { sent: { kind: 'unusable' }, said: 'nothing can be encrypted for the key of this subscription' }
    } finally {
      slot.leave(verdict)
    }
  }
}
