import { type CommandsOf, defineMesh, type EventsOf, type QueriesOf } from './derive/mesh.ts'
import { notifications } from './notifications.ts'
import { posts } from './posts.ts'
import { push } from './push.ts'
import { timelines } from './timelines.ts'
import { users } from './users.ts'

/** The actors of Daily Grind. Everything else is derived from this list. */
export const mesh = defineMesh(
  {
    name: 'dailygrind',
    title: 'Daily Grind',
    summary: 'A daily-post social network.',
    firstSteps: [
      {
        title: 'Begin a profile',
        text: '`PUT /v1/users/me` makes the profile that all else needs; until then writes are answered with `409 profile-required`.',
      },
    ],
  },
  users,
  posts,
  timelines,
  push,
  notifications,
)

export type Mesh = typeof mesh
export type ActorName = Mesh['actors'][number]['name']
export type Commands = CommandsOf<Mesh>
export type Queries = QueriesOf<Mesh>
export type Events = EventsOf<Mesh>
