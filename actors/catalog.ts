import type { ActorName } from '../contracts/mesh.ts'
import type { ActorCode } from './kernel/code.ts'
import { code as posts } from './posts/actor.ts'
import { code as timelines } from './timelines/actor.ts'
import { code as users } from './users/actor.ts'

/** Every actor of the mesh with its code; one that is declared and missing here does not compile. */
const byName: Readonly<Record<ActorName, ActorCode>> = { users, posts, timelines }
export const catalog: readonly ActorCode[] = Object.values(byName)
