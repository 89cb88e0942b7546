import { mesh } from '../../contracts/mesh.ts'
import type { ActorCode } from '../kernel/authoring/implement.ts'
import { world as worldOf } from '../kernel/testing/world.ts'

/** The rules of this mesh's actors at work without a kernel; see there. */
export const world = (codes: readonly ActorCode[], start?: string) => worldOf(mesh, codes, start)
export type World = ReturnType<typeof world>
