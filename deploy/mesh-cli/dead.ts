import type { DeadLetter } from '../../actors/kernel/worker/dead-letters.ts'
import { asksForDeliveries, givenUpLines } from './given-up.ts'
import { type Letters, queuesOf, readLetters, saidBy } from './letters.ts'
import type { OpenMesh } from './open.ts'
import { counted, moment, span } from './table.ts'

/** Lists dead letters, and the deliveries that were given up. @returns the exit code: 0 when there are no dead letters, 1 when there are some */
export const dead = async (mesh: OpenMesh, name: string | undefined, say: (line: string) => void): Promise<number> => {
  const queues = queuesOf(name)
  const found = await Promise.all(queues.map(queue => readLetters(mesh, queue)))
  say(mesh.title)
  for (const letters of found) for (const line of listed(letters, mesh.clock.now())) say(line)
  if (asksForDeliveries(name)) for (const line of await givenUpLines(mesh)) say(line)
  const some = found.some(f => f.letters.length > 0 || f.unseen > 0)
  say('')
  say(
    some
      ? `Next: npm run mesh -- show <id>${mesh.flags}, then redrive <id> --dry-run${mesh.flags}, then redrive <id>${mesh.flags}`
      : 'No dead letters.',
  )
  return some ? 1 : 0
}

/** @param now epoch ms */
const listed = ({ queue, letters, unseen }: Letters, now: number): readonly string[] => {
  if (letters.length === 0 && unseen === 0) return []
  return [
    '',
    `${queue}: ${counted(letters.length, 'dead letter')}${unseen > 0 ? `, and about ${unseen} that could not be looked at (somebody else reads them, or there are too many): the list is not complete` : ''}`,
    ...letters.flatMap(letter => lines(letter, now)),
  ]
}

const lines = (letter: DeadLetter, now: number): string[] => {
  const { type = 'of no type', key, by, id } = saidBy(letter)
  const receives = letter.receives === undefined ? '' : `, ${counted(letter.receives, 'receive')}`
  const own = id !== undefined && id !== letter.id ? `, in itself ${id}` : ''
  return [
    `  ${letter.id}  ${type}`,
    `      first sent ${moment(letter.sentAt)} (${span(Math.max(0, now - letter.sentAt))} ago) by ${by ?? 'nobody that it names'}${receives}${own}`,
    ...(key === undefined ? [] : [`      key     ${key}`]),
    `      reason  ${reasonOf(letter)}`,
  ]
}

export const reasonOf = ({ reason }: DeadLetter): string => reason ?? 'none is noted: the queue itself gave it up after 1000 receives'
