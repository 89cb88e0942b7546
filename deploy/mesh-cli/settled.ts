import { z } from 'zod'
import type { Item } from '../../actors/kernel/ports/store/port.ts'
import { decidedPlace, operationPlace } from '../../actors/kernel/turn/replies.ts'
import type { DeadLetter } from '../../actors/kernel/worker/dead-letters.ts'
import { Reply } from '../../contracts/declare/envelope.ts'
import { statePlace } from './command.ts'
import { saidBy } from './letters.ts'
import type { OpenMesh } from './open.ts'

const Operation = z.object({ reply: Reply, completedAt: z.number() })
const Decided = z.object({ id: z.string(), refusal: z.object({ refused: z.string() }).optional() })
const State = z.object({ lastBatch: z.array(Decided) })

const outcome = (refusal: { refused: string } | undefined): string => (refusal ? `refused: ${refusal.refused}` : 'done')

/** How a command's turn ended, if one took it since; read from what the turn commits. */
const settlement = (
  id: string,
  since: Item | undefined,
  [operation, decided, state]: readonly (Item | undefined)[],
): string | undefined => {
  const told = Operation.safeParse(operation).data
  const before = Operation.safeParse(since).data
  if (told && told.completedAt !== before?.completedAt)
    return told.reply.problem ? `refused: ${told.reply.status} ${told.reply.problem.code}` : `done: ${told.reply.status}`
  const beside = Decided.safeParse(decided).data
  if (beside) return outcome(beside.refusal)
  const taken = State.safeParse(state).data?.lastBatch.find(one => one.id === id)
  return taken && outcome(taken.refusal)
}

const LOOK_MS = 300

/**
 * Waits until commands that were sent back are settled.
 * @param letters readable commands
 * @param before their operations before they were sent
 * @returns by their messages' ids, what became of those that were settled within `mostMs`
 */
export const settled = async (
  { store, clock }: OpenMesh,
  letters: readonly DeadLetter[],
  before: ReadonlyMap<string, Item | undefined>,
  mostMs: number,
): Promise<ReadonlyMap<string, string>> => {
  const done = new Map<string, string>()
  const until = clock.elapsed() + mostMs
  for (;;) {
    await Promise.all(
      letters.map(async letter => {
        const { id } = saidBy(letter)
        if (id === undefined || done.has(id)) return
        const place = statePlace(letter)
        const items = await store.get([operationPlace(id), decidedPlace(id), ...(place ? [place] : [])])
        const what = settlement(id, before.get(id), items)
        if (what !== undefined) done.set(id, what)
      }),
    )
    if (done.size >= letters.length || clock.elapsed() >= until) return done
    await clock.sleep(LOOK_MS)
  }
}
