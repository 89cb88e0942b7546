import { errorMessage } from '../../actors/kernel/ports/errors/error-message.ts'
import type { GivenUp } from '../../actors/kernel/ports/jobs/port.ts'
import { QUEUE } from '../../actors/push/deliver.ts'
import type { OpenMesh } from './open.ts'
import { counted, moment } from './table.ts'

/** As many as are kept. */
const MOST = 1_000
const SHOWN = 50

/** Whether the dead letters that are asked for, by actor or queue, include deliveries. */
export const asksForDeliveries = (name: string | undefined): boolean => name === undefined || name === 'push'

/** Deliveries of push messages that were given up within the last week, or why nobody could look. */
const deliveries = async ({ jobs }: OpenMesh): Promise<{ readonly found: readonly GivenUp[]; readonly unasked: readonly string[] }> => {
  try {
    return { found: jobs ? await jobs.givenUp(QUEUE, MOST) : [], unasked: [] }
  } catch (error) {
    const why = errorMessage(error)
    return { found: [], unasked: ['', `Deliveries that were given up are not shown: ${why}`] }
  }
}

/** What an operator reads of them. They are not sent again: what they told of is out of date by the time a reason is mended. */
export const givenUpLines = async (mesh: OpenMesh): Promise<readonly string[]> => {
  const { found, unasked } = await deliveries(mesh)
  if (found.length === 0) return unasked
  return [
    '',
    `push: ${counted(found.length, 'delivery', 'deliveries')} given up in the last week${found.length === MOST ? ', or more: that many are kept' : ''}, the latest first`,
    ...found.slice(0, SHOWN).flatMap(job => [`  ${job.id}`, `      ${moment(job.at)}: ${job.reason}`]),
    ...(found.length > SHOWN ? [`  … and ${found.length - SHOWN} more`] : []),
  ]
}

/** One that was given up, whole; no lines where none of this id is found, with what could not be looked at. */
export const shownDelivery = async (
  mesh: OpenMesh,
  id: string,
): Promise<{ readonly lines: readonly string[] | undefined; readonly unasked: readonly string[] }> => {
  const { found, unasked } = await deliveries(mesh)
  const job = found.find(one => one.id === id)
  if (!job) return { lines: undefined, unasked }
  const lines = [
    '',
    `${job.id}, a delivery that was given up`,
    `  reason      ${job.reason}`,
    `  given up    ${moment(job.at)}`,
    '',
    JSON.stringify(job.data, null, 2),
  ]
  return { lines, unasked }
}
