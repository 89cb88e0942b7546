import { type Mesh, mesh } from '../../contracts/mesh.ts'
import type { EventType, EventOf as KernelEvent } from '../kernel/authoring/handlers.ts'
import { authoring } from '../kernel/authoring/implement.ts'

/** What the actors of this mesh are written with. */
export const { implement, handlers } = authoring(mesh)
/** An event of this mesh as a handler gets it. */
export type EventOf<E extends EventType<Mesh>> = KernelEvent<Mesh, E>
