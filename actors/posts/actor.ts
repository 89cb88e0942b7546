import { posts } from '../../contracts/posts.ts'
import type { ActorCode } from '../kernel/code.ts'
import hearings from './hears.ts'
import rules from './rules.ts'

export const code: ActorCode = { declaration: posts, rules, hearings }
