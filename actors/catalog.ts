import type { ActorName } from '../contracts/mesh.ts'
import type { ActorCode, Implemented, ViewTable } from './kernel/authoring/implement.ts'
import type { Config } from './kernel/config/config.ts'
import { notificationsActor } from './notifications/notifications.ts'
import { postsActor } from './posts/posts.ts'
import { pushActor } from './push/push.ts'
import { timelinesActor } from './timelines/timelines.ts'
import { usersActor } from './users/users.ts'

/** Every actor of the mesh with its code; one that is declared and missing here does not compile. */
const byName: { readonly [N in ActorName]: Implemented<N> } = {
  users: usersActor,
  posts: postsActor,
  timelines: timelinesActor,
  push: pushActor,
  notifications: notificationsActor,
}
export const catalog: readonly Implemented[] = Object.values(byName)

/** The actors as a deployment runs them. */
export const actorsOf = (config: Config): readonly ActorCode[] => catalog.map(actor => actor.code(config))
/** One of them, by its name. */
export const actorOf = (name: ActorName, config: Config): ActorCode => byName[name].code(config)
/** The reads of all of them, by the type of their query. */
export const viewsOf = (actors: readonly ActorCode[]): ViewTable => Object.assign({}, ...actors.map(a => a.views))
