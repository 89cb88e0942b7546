import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

/** What the edge hands out and must know again: signed, or also unreadable, with keys derived from `EDGE_SECRET`. */

const SIGNATURE = 16
const NONCE = 12
const TAG = 16

/** A key for one purpose, so that what was made for one cannot pose as another. */
const keyFor = (secret: string, purpose: string) => Buffer.from(hkdfSync('sha256', secret, '', `dailygrind ${purpose}`, 32))

/** Signs bytes for somebody: `<bytes><signature>` in base64url. */
export const signer = (secret: string, purpose: string) => {
  const key = keyFor(secret, purpose)
  const signature = (bytes: Uint8Array, to: string) => createHmac('sha256', key).update(bytes).update(to).digest().subarray(0, SIGNATURE)
  return {
    sign: (bytes: Uint8Array, to: string): string => Buffer.concat([bytes, signature(bytes, to)]).toString('base64url'),
    /** The bytes, undefined when they were altered or signed for somebody else. @param length how many bytes they must be */
    open: (sealed: string, to: string, length: number): Buffer | undefined => {
      const all = exactBytes(sealed)
      if (all?.length !== length + SIGNATURE) return undefined
      const bytes = all.subarray(0, length)
      return timingSafeEqual(all.subarray(length), signature(bytes, to)) ? bytes : undefined
    },
  }
}

/** Encrypts text so that only the same edge secret and the same `to` open it. */
export const sealer = (secret: string, purpose: string) => {
  const key = keyFor(secret, purpose)
  return {
    seal: (text: string, to: string): string => {
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(to))
      return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
    },
    open: (sealed: string, to: string): string | undefined => {
      const all = exactBytes(sealed)
      if (!all || all.length < NONCE + TAG) return undefined
      const decipher = createDecipheriv('aes-256-gcm', key, all.subarray(0, NONCE)).setAAD(Buffer.from(to))
      decipher.setAuthTag(all.subarray(all.length - TAG))
      try {
        return decipher.update(all.subarray(NONCE, all.length - TAG), undefined, 'utf8') + decipher.final('utf8')
      } catch {
        return undefined
      }
    },
  }
}

/** Node reads base64url leniently; two texts for the same bytes would let an altered one pass. */
const exactBytes = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

/** The deployment's secret; a process of its own without one makes one up, and what it signed dies with it. @throws in production */
export const edgeSecret = (given: string | undefined, environment: string): string => {
  if (given !== undefined) return given
  if (environment === 'production') throw new Error('EDGE_SECRET (at least 32 characters, the same for all edges) is needed in production')
  return randomBytes(32).toString('hex')
}
