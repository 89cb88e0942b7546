import type { ActorName } from '../contracts/mesh.ts'
import type { ActorCode } from './kernel/authoring/actor-code.ts'
import type { Config } from './kernel/process/config.ts'
import { code as posts } from './posts/actor.ts'
import { pushCode, pushSettings } from './push/actor.ts'
import { code as timelines } from './timelines/actor.ts'
import { code as users } from './users/actor.ts'

/** Every actor of the mesh with its code; one that is declared and missing here does not compile. */
const byName = (push: ActorCode): Readonly<Record<ActorName, ActorCode>> => ({ users, posts, timelines, push })

/** The actors as a deployment runs them. */
export const configured = (config: Config): readonly ActorCode[] => Object.values(byName(pushCode(pushSettings(config))))
/** The actors where nothing is configured: their rules, and no work outside. */
export const catalog: readonly ActorCode[] = Object.values(byName(pushCode({ vapid: undefined, allowed: [] })))
