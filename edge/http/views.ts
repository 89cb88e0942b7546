import type { Config } from '../../actors/kernel/process/config.ts'
import posts from '../../actors/posts/views.ts'
import push from '../../actors/push/views.ts'
import timelines from '../../actors/timelines/views.ts'
import users from '../../actors/users/views.ts'
import type { ViewTable } from './query-endpoint.ts'

/** Every actor's reads, which the edge answers in process. */
export const viewsOf = (config: Pick<Config, 'VAPID_PUBLIC_KEY'>): ViewTable => ({
  ...users,
  ...posts,
  ...timelines,
  ...push(config.VAPID_PUBLIC_KEY),
})
