import { createECDH } from 'node:crypto'
import { z } from 'zod'
import { kept } from './secret.ts'

const Pair = z.object({ publicKey: z.string(), privateKey: z.string() })

const pair = (): string => {
  const keys = createECDH('prime256v1')
  keys.generateKeys()
  // The library drops leading zeros of the scalar; a key has 32 bytes.
  const privateKey = Buffer.concat([Buffer.alloc(32), keys.getPrivateKey()]).subarray(-32)
  return JSON.stringify({ publicKey: keys.getPublicKey('base64url'), privateKey: privateKey.toString('base64url') })
}

/**
 * The key pair that push messages are signed with, as environment variables: made at the first start and kept beside the edges' secret, because browsers
 * subscribe to a key.
 * @param directory undefined: a new one each time
 * @throws an error naming the file when it holds something else
 */
export const vapidSettings = async (directory: string | undefined): Promise<Readonly<Record<string, string>>> => {
  const { file, text } = await kept(directory, 'vapid-keys', pair)
  const read = Pair.safeParse(parsed(text))
  if (!read.success)
    throw new Error(`${file} should hold a pair of VAPID keys: remove it to get a new one, which every browser has to subscribe to anew`)
  const { publicKey, privateKey } = read.data
  return { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey, VAPID_SUBJECT: 'mailto:push@example.org' }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
