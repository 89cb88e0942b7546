import { posts } from '../../contracts/posts.ts'
import type { ActorCode } from '../kernel/authoring/actor-code.ts'
import hearings from './handlers.ts'
import rules from './rules.ts'

export const code: ActorCode = { declaration: posts, rules, hearings }
