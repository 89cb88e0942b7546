import { mesh } from '../../contracts/mesh.ts'

/** The processes of a mesh that runs as several, by name, in the order in which they are started. */
export const processNames: readonly string[] = ['engines', ...mesh.actors.map(a => a.name), 'edge']
