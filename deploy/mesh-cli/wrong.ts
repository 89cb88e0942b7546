import { deadLetterQueue } from '../../contracts/derive/topology.ts'
import { counted } from './table.ts'
import type { QueueView, View } from './view.ts'

/** Everything that is wrong with a mesh as far as a view shows it, a sentence each, with what to do next. `flags` lead to the mesh from a command. */
export const wrongIn = (view: View, flags = ''): readonly string[] => [
  ...(view.ended ? ['the mesh has ended: start it again with npm start'] : []),
  ...view.silent,
  ...view.refusing.map(origin => `${origin} refuses our pushes: look at the VAPID keys`),
  ...view.queues.flatMap(q => wrongWith(q, view, flags)),
  ...view.processes.flatMap(p =>
    p.wrong.length > 0 ? p.wrong.map(w => `${p.name}: ${w}`) : p.ready === false ? [`${p.name} is not ready`] : [],
  ),
]

const wrongWith = ({ queue, depth, dead, held, rate, lagMs, paused }: QueueView, { told }: View, flags: string): string[] => {
  const stuck = typeof depth !== 'string' && depth.waiting > 0 && !held && rate === 0 && lagMs === undefined
  return [
    ...(typeof depth === 'string' ? [`${queue}: ${depth}`] : []),
    ...(typeof dead === 'string' ? [`${deadLetterQueue(queue)}: ${dead}`] : []),
    ...(typeof dead === 'number' && dead > 0
      ? [`${queue} has ${counted(dead, 'dead letter')}: npm run mesh -- dead ${queue}${flags}`]
      : []),
    ...(paused ? [`${queue}: polling pauses, for an engine fails: see its worker's log`] : []),
    ...(told && stuck ? [`${queue}: ${counted(depth.waiting, 'message')} waiting ${behind(depth.inFlight)}`] : []),
  ]
}

/** A message that comes back later, for its rule threw or its worker was killed, holds up those of its key; a frame of 80 columns shows it whole. */
const behind = (inFlight: number): string =>
  inFlight > 0 ? `behind ${inFlight} in flight: has a rule thrown?` : 'and none is taken: does its worker run?'
