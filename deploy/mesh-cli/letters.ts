import { z } from 'zod'
import { type DeadLetter, lookAtDeadLetters } from '../../actors/kernel/worker/dead-letters.ts'
import { Refused } from './flags.ts'
import type { OpenMesh } from './open.ts'
import { queueNames } from './sample.ts'

/** What a dead letter says of itself, as far as it can be read; anything may be missing. */
const Said = z.object({
  id: z.string().optional().catch(undefined),
  type: z.string().optional().catch(undefined),
  key: z.string().optional().catch(undefined),
  by: z.string().optional().catch(undefined),
  at: z.string().optional().catch(undefined),
  claim: z.string().optional().catch(undefined),
})
export type Said = z.infer<typeof Said>

export const jsonOf = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
export const saidBy = ({ body }: DeadLetter): Said => Said.safeParse(jsonOf(body)).data ?? {}

/** A dead letter goes by the id of its queue and by that of its message or event. */
export const isCalled =
  (id: string) =>
  (letter: DeadLetter): boolean =>
    letter.id === id || saidBy(letter).id === id

/** The queues of an actor, or one by its own name. @throws Refused naming those that there are */
export const queuesOf = (name: string | undefined): readonly string[] => {
  const all = queueNames()
  const found = name === undefined ? all : all.filter(q => q === name || q.replace(/\.fifo$|-events$/, '') === name)
  if (found.length > 0) return found
  throw new Refused(`there is no actor or queue ${JSON.stringify(name)} with dead letters: the queues are ${all.join(', ')}`)
}

/** More of a queue than anybody reads: the rest is counted. */
const MOST = 500

export type Letters = { readonly queue: string; readonly letters: readonly DeadLetter[]; readonly unseen: number }

/** Reads the dead letters of a queue, oldest first, and leaves them as they were. */
export const readLetters = async ({ mailbox, clock }: OpenMesh, queue: string): Promise<Letters> => {
  const letters = new Map<string, DeadLetter>()
  const { unseen } = await lookAtDeadLetters(
    mailbox,
    clock,
    queue,
    async letter => {
      letters.set(`${letter.id} ${letter.diedAt}`, letter)
      return 'kept'
    },
    { enough: () => letters.size >= MOST },
  )
  return { queue, letters: [...letters.values()].sort((a, b) => a.sentAt - b.sentAt), unseen }
}

/** The first dead letter of this id in any of the queues. */
export const findLetter = async ({ mailbox, clock }: OpenMesh, id: string): Promise<{ letter: DeadLetter | undefined; unseen: number }> => {
  let letter: DeadLetter | undefined
  const called = isCalled(id)
  const looked = await Promise.all(
    queueNames().map(queue =>
      lookAtDeadLetters(
        mailbox,
        clock,
        queue,
        async one => {
          if (called(one)) letter = one
          return 'kept'
        },
        { enough: () => letter !== undefined },
      ),
    ),
  )
  return { letter, unseen: looked.reduce((all, l) => all + l.unseen, 0) }
}
