import { mesh } from '../../contracts/mesh.ts'
import { authoring } from '../kernel/authoring/implement.ts'

/** What the actors of this mesh are written with. */
export const { implement, handlers } = authoring(mesh)
