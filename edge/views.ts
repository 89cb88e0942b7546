import posts from '../actors/posts/views.ts'
import timelines from '../actors/timelines/views.ts'
import users from '../actors/users/views.ts'
import type { ViewTable } from './query.ts'

/** Every actor's reads, which the edge answers in process. */
export const views: ViewTable = { ...users, ...posts, ...timelines }
