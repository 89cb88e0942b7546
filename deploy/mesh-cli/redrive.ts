import { operationPlace } from '../../actors/kernel/turn/replies.ts'
import { type DeadLetter, type Redriven, redrive as sendBack } from '../../actors/kernel/worker/dead-letters.ts'
import { unreadable } from './command.ts'
import { reasonOf } from './dead.ts'
import { findLetter, isCalled, type Letters, queuesOf, readLetters, saidBy } from './letters.ts'
import type { OpenMesh } from './open.ts'
import { settled } from './settled.ts'
import { notFound } from './show.ts'
import { counted, moment } from './table.ts'

export type RedriveOptions = { readonly dryRun: boolean; readonly all: boolean; readonly settleMs?: number }

const SETTLE_MS = 10_000

/**
 * Sends one dead letter back, or all of an actor's, and tells what became of each.
 * @param subject an id; with `all` an actor or a queue
 * @returns the exit code: 1 when there is no such letter, or one died again or was not seen to be settled
 */
export const redrive = async (
  mesh: OpenMesh,
  subject: string | undefined,
  { dryRun, all, settleMs = SETTLE_MS }: RedriveOptions,
  say: (line: string) => void,
): Promise<number> => {
  const queues = all ? queuesOf(subject) : []
  say(mesh.title)
  const chosen = all ? await Promise.all(queues.map(queue => readLetters(mesh, queue))) : await one(mesh, subject ?? '', say)
  const some = chosen.filter(c => c.letters.length > 0 || c.unseen > 0)
  if (some.length === 0) {
    if (all) say('No dead letters: nothing to send back.')
    return all ? 0 : 1
  }
  let well = true
  for (const letters of some) {
    if (dryRun) for (const line of plan(letters)) say(line)
    else well = (await send(mesh, letters, all, settleMs, say)) && well
  }
  if (dryRun) say('Nothing was sent: leave out --dry-run to do it.')
  return well ? 0 : 1
}

const one = async (mesh: OpenMesh, id: string, say: (line: string) => void): Promise<readonly Letters[]> => {
  const { letter, unseen } = await findLetter(mesh, id)
  if (letter) return [{ queue: letter.queue, letters: [letter], unseen: 0 }]
  say(notFound(mesh, id, unseen))
  return []
}

const plan = ({ queue, letters, unseen }: Letters): string[] => [
  ...letters.map(letter => {
    const { type = 'of no type' } = saidBy(letter)
    const still = unreadable(letter)
    return `Would send ${letter.id} (${type}, first sent ${moment(letter.sentAt)}) back to ${queue}: ${still === undefined ? 'it can be read, and its rule would be tried again' : `it would die again at once, ${still}`}`
  }),
  ...(unseen > 0 ? [`and about ${unseen} more in ${queue} that could not be looked at`] : []),
]

const send = async (mesh: OpenMesh, { queue, letters }: Letters, all: boolean, settleMs: number, say: (line: string) => void) => {
  const { mailbox, clock, store } = mesh
  const commands = queue.endsWith('.fifo') ? letters.filter(l => unreadable(l) === undefined) : []
  const ids = commands.flatMap(l => saidBy(l).id ?? [])
  const operations = await store.get(ids.map(operationPlace))
  const before = new Map(ids.map((id, i) => [id, operations[i]]))
  const [first] = letters
  const sent = await sendBack(mailbox, clock, queue, all || !first ? {} : { only: isCalled(first.id), count: 1 })
  const waited = commands.filter(l => sent.some(s => s.id === l.id && s.again === undefined))
  const outcomes = await settled(mesh, waited, before, waited.length > 0 ? settleMs : 0)
  const { waiting, inFlight } = await mailbox.depth(queue)
  let well = sent.length > 0
  for (const redriven of sent) {
    const letter = letters.find(l => l.id === redriven.id)
    const outcome = became(redriven, letter, outcomes, waiting + inFlight)
    say(`${redriven.id} was sent back to ${queue}: ${outcome.text}`)
    well &&= outcome.well
  }
  if (sent.length === 0) say(`Nothing was sent back to ${queue}: its dead letters are gone, or somebody else is reading them`)
  const dead = await readLetters(mesh, queue)
  const left = dead.letters.length + dead.unseen
  say(
    left === 0
      ? `The dead letters of ${queue} are empty.`
      : `${counted(left, 'dead letter')} left in ${queue}: npm run mesh -- dead ${queue}${mesh.flags}`,
  )
  return well
}

const became = (
  { id, again }: Redriven,
  letter: DeadLetter | undefined,
  outcomes: ReadonlyMap<string, string>,
  queued: number,
): { text: string; well: boolean } => {
  if (again !== undefined) return { text: `it died again, ${letter ? reasonOf({ ...letter, reason: again }) : again}`, well: false }
  const outcome = outcomes.get((letter && saidBy(letter).id) ?? id)
  if (outcome !== undefined) return { text: outcome, well: true }
  // An event leaves no trace of its own, and a command may be one that was not in the list.
  if (letter?.queue.endsWith('-events') && queued === 0) return { text: 'it was taken, and did not die again', well: true }
  return {
    text: 'not seen to be settled yet; look again with status and dead (a rule that throws is tried five times, which takes a minute)',
    well: false,
  }
}
