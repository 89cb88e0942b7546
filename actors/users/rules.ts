import { rules } from '../../contracts/declare/rules.ts'
import { users } from '../../contracts/users.ts'
import { together } from '../kernel/authoring/rule.ts'
import { educations, jobs } from './career.ts'
import { friends } from './friends.ts'
import { mutes } from './mutes.ts'
import { profile } from './profile.ts'

export const userRules = rules(users, together(profile, friends, mutes, jobs, educations))
