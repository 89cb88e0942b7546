import { MAX_CAREER } from '../contracts/career.ts'
import type { ClientConfig } from '../contracts/edge.ts'
import { mesh } from '../contracts/mesh.ts'
import { MAX_PINS } from '../contracts/posts.ts'
import { MOST_SUBSCRIPTIONS } from '../contracts/push.ts'
import { stream } from '../contracts/stream.ts'
import { LIMITS } from '../contracts/users.ts'
import { actorsOf, viewsOf } from './catalog.ts'
import type { ActorCode } from './kernel/authoring/implement.ts'
import type { Config } from './kernel/config/config.ts'
import { changesSince } from './timelines/views/changes.ts'

/** Daily Grind as an edge is handed it, which knows no product. @param actors those that are put together already, if any are */
export const productOf = (config: Config, actors: readonly ActorCode[] = actorsOf(config)) => ({
  mesh,
  stream,
  views: viewsOf(actors),
  changes: changesSince,
  about: 'One post a day, for your friends.',
  client: {
    push: { publicKey: config.VAPID_PUBLIC_KEY ?? null },
    limits: { pushSubscriptions: MOST_SUBSCRIPTIONS, ...LIMITS, ...MAX_CAREER, pins: MAX_PINS } satisfies Partial<ClientConfig['limits']>,
  },
})
