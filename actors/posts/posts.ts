import { posts } from '../../contracts/posts.ts'
import { implement } from '../authoring/authoring.ts'
import { postHandlers } from './handlers.ts'
import { postRules } from './rules.ts'
import { postViews } from './views.ts'

export const postsActor = implement(posts, () => ({ rules: postRules, on: postHandlers, views: postViews }))
