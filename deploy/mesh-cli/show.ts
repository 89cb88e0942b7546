import { errorMessage } from '../../actors/kernel/ports/errors/error-message.ts'
import { claimPlace, decidedPlace, operationPlace } from '../../actors/kernel/turn/replies.ts'
import type { DeadLetter } from '../../actors/kernel/worker/dead-letters.ts'
import type { Place } from '../../contracts/declare/records.ts'
import { statePlace, unreadable } from './command.ts'
import { reasonOf } from './dead.ts'
import { shownDelivery } from './given-up.ts'
import { findLetter, jsonOf, saidBy } from './letters.ts'
import { isBackplane, type OpenMesh, whyNone } from './open.ts'
import { moment } from './table.ts'

/** Shows one dead letter, or a delivery that was given up, whole, and what the mesh knows of it. @returns the exit code: 1 when it is not there */
export const show = async (mesh: OpenMesh, id: string, say: (line: string) => void): Promise<number> => {
  say(mesh.title)
  const { letter, unseen } = await findLetter(mesh, id)
  if (!letter) {
    const delivery = await shownDelivery(mesh, id)
    for (const line of delivery.lines ?? [notFound(mesh, id, unseen), ...delivery.unasked]) say(line)
    return delivery.lines ? 0 : 1
  }
  for (const line of letterLines(letter)) say(line)
  const said = saidBy(letter)
  const item = async (title: string, place: Place | undefined) => {
    if (!place) return
    const [found] = await mesh.store.get([place])
    say('')
    say(`${title} (${place.table}, ${place.pk}, ${place.sk})${found ? '' : ': none'}`)
    if (found) say(JSON.stringify(found, null, 2))
  }
  if (letter.queue.endsWith('.fifo') && said.id !== undefined) {
    await item('Operation', operationPlace(said.id))
    await item('Decided about nothing', decidedPlace(said.id))
    await item('Claim', said.claim === undefined ? undefined : claimPlace(said.claim))
    say('')
    say(await lastReply(mesh, said.id))
  }
  await item('State of its key', statePlace(letter))
  return 0
}

export const notFound = ({ flags }: Pick<OpenMesh, 'flags'>, id: string, unseen: number): string =>
  `There is no dead letter ${JSON.stringify(id)}${unseen > 0 ? `; about ${unseen} could not be looked at, somebody else may read them: try again in 30 s` : ''}. npm run mesh -- dead${flags} lists all.`

const letterLines = (letter: DeadLetter): string[] => {
  const { queue, group, receives, sentAt, diedAt, body } = letter
  const read = jsonOf(body)
  const still = unreadable(letter)
  return [
    '',
    `${letter.id} in the dead letters of ${queue}`,
    `  reason      ${reasonOf(letter)}`,
    `  first sent  ${moment(sentAt)}`,
    `  died        ${moment(diedAt)}${receives === undefined ? '' : `, at receive ${receives}`}`,
    ...(group === undefined ? [] : [`  group       ${group}`]),
    `  redriven    ${still === undefined ? 'it would be read, and tried again' : `it would die again at once: ${still}`}`,
    '',
    read === undefined ? 'Body (not JSON):' : 'Body:',
    read === undefined ? body : JSON.stringify(read, null, 2),
  ]
}

const lastReply = async ({ backplane }: OpenMesh, id: string): Promise<string> => {
  if (!isBackplane(backplane)) return `Last reply: not known, ${whyNone(backplane)}`
  try {
    const reply = await backplane.replyOf(id)
    return reply
      ? `Last reply on the backplane: ${JSON.stringify(reply, null, 2)}`
      : 'Last reply on the backplane: none within the last half minute'
  } catch (error) {
    return `Last reply: not known, ${errorMessage(error)}`
  }
}
