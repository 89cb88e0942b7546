import type { GivenUp } from '../../actors/kernel/jobs/port.ts'
import { QUEUE } from '../../actors/push/deliver.ts'
import type { OpenMesh } from './open.ts'
import { counted, moment } from './table.ts'

/** As many as are kept. */
const MOST = 1_000
const SHOWN = 50

/** Whether the dead letters that are asked for, by actor or queue, include deliveries. */
export const asksForDeliveries = (name: string | undefined): boolean => name === undefined || name === 'push'

/** Deliveries of push messages that were given up within the last week. @throws when the store of jobs does not answer */
const deliveries = async ({ jobs }: OpenMesh): Promise<readonly GivenUp[]> => (jobs ? jobs.givenUp(QUEUE, MOST) : [])

/** What an operator reads of them. They are not sent again: what they told of is out of date by the time a reason is mended. */
export const givenUpLines = async (mesh: OpenMesh): Promise<readonly string[]> => {
  let found: readonly GivenUp[]
  try {
    found = await deliveries(mesh)
  } catch (error) {
    return ['', `Deliveries that were given up cannot be asked for: ${error instanceof Error ? error.message : String(error)}`]
  }
  if (found.length === 0) return []
  return [
    '',
    `push: ${counted(found.length, 'delivery', 'deliveries')} given up in the last week${found.length === MOST ? ', or more: that many are kept' : ''}, the latest first`,
    ...found
      .slice(0, SHOWN)
      .flatMap(job => [`  ${job.id}`, `      ${moment(job.at)}, ${counted(job.attempts, 'try', 'tries')}: ${job.reason}`]),
    ...(found.length > SHOWN ? [`  … and ${found.length - SHOWN} more`] : []),
  ]
}

/** One that was given up, whole; undefined where there is none of this id. */
export const shownDelivery = async (mesh: OpenMesh, id: string): Promise<readonly string[] | undefined> => {
  const job = (await deliveries(mesh)).find(one => one.id === id)
  if (!job) return undefined
  return [
    '',
    `${job.id}, a delivery that was given up`,
    `  reason      ${job.reason}`,
    `  given up    ${moment(job.at)}, after ${counted(job.attempts, 'try', 'tries')}`,
    '',
    JSON.stringify(job.data, null, 2),
  ]
}
