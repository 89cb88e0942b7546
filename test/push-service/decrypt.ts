import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'

/** What a browser keeps of a subscription. */
export type DeviceKeys = { readonly p256dh: string; readonly auth: string; readonly decrypt: (body: Buffer) => string }

const derived = (secret: Buffer, salt: Buffer, info: Buffer | string, length: number) =>
  Buffer.from(hkdfSync('sha256', secret, salt, info, length))

/** The key pair and secret of a new subscription, and the decryption of what is sent to it: RFC 8291 over RFC 8188, from the texts, not with the sender's library. */
export const deviceKeys = (): DeviceKeys => {
  const pair = createECDH('prime256v1')
  const publicKey = pair.generateKeys()
  const auth = randomBytes(16)
  const decrypt = (body: Buffer): string => {
    const salt = body.subarray(0, 16)
    const recordSize = body.readUInt32BE(16)
    const keyLength = body.readUInt8(20)
    const sender = body.subarray(21, 21 + keyLength)
    const record = body.subarray(21 + keyLength)
    if (keyLength !== 65) throw new Error(`the sender's key has ${keyLength} bytes, not 65`)
    if (record.length > recordSize || body.length > 4096) throw new Error('the message is longer than one record of 4096 bytes')
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), publicKey, sender])
    const input = derived(pair.computeSecret(sender), auth, info, 32)
    const key = derived(input, salt, 'Content-Encoding: aes128gcm\0', 16)
    const nonce = derived(input, salt, 'Content-Encoding: nonce\0', 12)
    const decipher = createDecipheriv('aes-128-gcm', key, nonce)
    decipher.setAuthTag(record.subarray(-16))
    const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()])
    const end = padded.lastIndexOf(2)
    if (end < 0) throw new Error('the record does not end as the last one does')
    return padded.subarray(0, end).toString('utf8')
  }
  return { p256dh: publicKey.toString('base64url'), auth: auth.toString('base64url'), decrypt }
}
