import { type ActorName, mesh } from '../../contracts/mesh.ts'
import { actorOf, actorsOf } from '../catalog.ts'
import type { ActorCode } from '../kernel/authoring/implement.ts'
import { readConfig } from '../kernel/config/config.ts'
/** The actors where the environment says no more than this: by default nothing, so their rules and views, and no jobs. */
export const catalogWith = (environment: Readonly<Record<string, string>>): readonly ActorCode[] => actorsOf(readConfig(environment, mesh))
export const catalog = catalogWith({})
export const actorNamed = (name: ActorName): ActorCode => actorOf(name, readConfig({}, mesh))
