import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

/** What the edge hands out and must know again: signed, or also unreadable, with keys derived from `EDGE_SECRET`. */

/** 128 bits. */
const SIGNATURE = 22
const NONCE = 12
const TAG = 16

/** What the edges of a mesh sign with. @property mesh its name: two meshes that share a secret do not know what the other handed out */
export type EdgeSecret = { readonly mesh: string; readonly secret: string }

/** A key for one purpose, so that what was made for one cannot pose as another. */
const keyFor = ({ mesh, secret }: EdgeSecret, purpose: string) => Buffer.from(hkdfSync('sha256', secret, '', `${mesh} ${purpose}`, 32))

/**
 * Signs text. The key stands before and after the text (the sandwich construction, Yasuda 2007), and before it fills the hash's first block:
 * as good as HMAC, in one hash and without an object, which is what an operation id a request costs.
 */
export const signer = (secret: EdgeSecret, purpose: string) => {
  const key = keyFor(secret, purpose).toString('hex')
  const sign = (text: string) => hash('sha256', key + text + key, 'base64url').slice(0, SIGNATURE)
  return {
    /** @returns 22 characters of base64url */
    sign,
    signed: (text: string, signature: string): boolean =>
      signature.length === SIGNATURE && timingSafeEqual(Buffer.from(signature), Buffer.from(sign(text))),
  }
}

/** Encrypts text so that only the same edge secret and the same `to` open it. */
export const sealer = (secret: EdgeSecret, purpose: string) => {
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
