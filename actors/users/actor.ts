import { users } from '../../contracts/users.ts'
import type { ActorCode } from '../kernel/code.ts'
import { hearings } from '../kernel/hearing.ts'
import rules from './rules.ts'

export const code: ActorCode = { declaration: users, rules, hearings: hearings(users, {}) }
