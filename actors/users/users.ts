import { users } from '../../contracts/users.ts'
import { implement } from '../authoring/authoring.ts'
import { userRules } from './rules.ts'
import { userViews } from './views.ts'

export const usersActor = implement(users, () => ({ rules: userRules, on: {}, views: userViews }))
