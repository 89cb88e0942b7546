import { errorMessage } from '../../actors/kernel/ports/errors/error-message.ts'
import { deadLetterQueue } from '../../contracts/derive/topology.ts'
import { mesh } from '../../contracts/mesh.ts'
import type { MeshProcess } from '../embedded/running.ts'
import type { OpenMesh } from './open.ts'
import { askOperations, type Told } from './operations.ts'

export type Depth = { readonly waiting: number; readonly inFlight: number }
/** A mailbox or an event queue and its dead letters; a sentence where it cannot be asked. */
export type QueueDepth = { readonly queue: string; readonly depth: Depth | string; readonly dead: number | string }
/** The mesh at a moment. */
export type Sample = {
  /** Epoch ms. */
  readonly at: number
  readonly queues: readonly QueueDepth[]
  readonly told: Told
  /** undefined: the embedded mesh has ended. */
  readonly processes: readonly MeshProcess[] | undefined
}

/** The queues of the topology, mailboxes first, without the deployment's prefix. */
export const queueNames = (): readonly string[] => {
  const { mailboxes, subscribers } = mesh.topology('')
  return [...mailboxes, ...subscribers].map(q => q.queue)
}

const text = (error: unknown): string => errorMessage(error)

/** Never throws: what cannot be asked says so. */
export const sample = async (mesh: OpenMesh): Promise<Sample> => {
  const queue = async (name: string): Promise<QueueDepth> => {
    const [depth, dead] = await Promise.all([
      mesh.mailbox.depth(name).catch(text),
      mesh.mailbox.depth(deadLetterQueue(name)).then(d => d.waiting + d.inFlight, text),
    ])
    return { queue: name, depth, dead }
  }
  const [queues, told, processes] = await Promise.all([
    Promise.all(queueNames().map(queue)),
    askOperations(mesh.operations),
    mesh.processes(),
  ])
  return { at: mesh.clock.now(), queues, told, processes }
}
