import { users } from '../../contracts/users.ts'
import { implement } from '../authoring/authoring.ts'
import { userViews } from './queries.ts'
import { userRules } from './rules.ts'

export const usersActor = implement(users, () => ({ rules: userRules, on: {}, views: userViews }))
