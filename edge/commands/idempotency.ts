import { hash } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { ConditionLost, Conflict, type Store } from '../../actors/kernel/ports/store/port.ts'
import { type Claim, claimItem, claimPlace } from '../../actors/kernel/turn/replies.ts'
import { Reply } from '../../contracts/declare/envelope.ts'
import type { Conditions } from '../request/etag.ts'
import { edgeProblem, overloaded } from '../request/problems.ts'

/** What an idempotency key claims: `name` says whose and where, `fingerprint` what was sent. */
export type Key = { readonly name: string; readonly fingerprint: string }

const Stored = z.object({ bodyHash: z.string(), messageId: z.string(), at: z.string(), reply: Reply.optional() })
const ATTEMPTS = 6

/** 1 to 128 visible ASCII characters. */
export const isKey = (text: unknown): text is string => typeof text === 'string' && /^[\x21-\x7e]{1,128}$/.test(text)

/**
 * @param where the method and concrete path, or the stream: a key means nothing elsewhere
 * @param content what must be the same in a repeat, in canonical form
 */
export const keyOf = (by: string, where: string, key: string, content: string): Key => ({
  name: hash('sha256', `${by}\0${where}\0${key}`, 'base64url'),
  fingerprint: hash('sha256', content, 'base64url'),
})

/** What must be the same in a repeat: the data, under the same conditions. */
export const contentOf = (data: unknown, { ifMatch, ifNoneMatch }: Conditions): string =>
  JSON.stringify([data, ifMatch ?? null, ...(ifNoneMatch === undefined ? [] : [ifNoneMatch])])

/** @returns the key of an `Idempotency-Key` header. @throws EdgeProblem `bad-request` */
export const readKey = (header: string | undefined): string | undefined => {
  if (header !== undefined && !isKey(header))
    throw edgeProblem('bad-request', 'the Idempotency-Key must be 1 to 128 visible ASCII characters')
  return header
}

/** The claims of idempotency keys: one conditional put decides who sends, on whichever edge. */
export const claims = (store: Store, clock: Clock, random: () => number) => {
  const read = async (name: string): Promise<Claim | undefined> => {
    const [item] = await store.get([claimPlace(name)])
    if (item === undefined) return undefined
    const { reply, ...claim } = Stored.parse(item)
    return reply === undefined ? claim : { ...claim, reply }
  }
  const put = async ({ name, fingerprint }: Key, messageId: string, at: string): Promise<boolean> => {
    const table = claimPlace(name).table
    try {
      const item = claimItem(name, { bodyHash: fingerprint, messageId, at }, clock.now())
      await store.commit([{ put: item, table, when: { absent: 'pk' } }])
      return true
    } catch (error) {
      if (error instanceof ConditionLost || error instanceof Conflict) return false
      throw error
    }
  }
  return {
    read,
    /**
     * Claims a key for a message, or tells whose it is already.
     * @throws EdgeProblem `idempotency-key-reused` when it was claimed with other content
     */
    take: async (key: Key, messageId: string, at: string): Promise<Claim & { readonly own: boolean }> => {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        if (await put(key, messageId, at)) return { bodyHash: key.fingerprint, messageId, at, own: true }
        const claim = await read(key.name)
        if (claim && claim.bodyHash !== key.fingerprint)
          throw edgeProblem('idempotency-key-reused', 'the key stands for another body; a new request needs a new key')
        // A claim whose answer was lost meets itself.
        if (claim) return { ...claim, own: claim.messageId === messageId }
        // Another transaction was in the way, or an expired claim has not quite gone.
        await clock.sleep(random() * 2 ** attempt * 5)
      }
      throw overloaded('the idempotency key is contended', 1)
    },
  }
}
export type Claims = ReturnType<typeof claims>
