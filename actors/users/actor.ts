import { users } from '../../contracts/users.ts'
import type { ActorCode } from '../kernel/authoring/actor-code.ts'
import { hearings } from '../kernel/authoring/handlers.ts'
import rules from './rules.ts'

export const code: ActorCode = { declaration: users, rules, hearings: hearings(users, {}) }
