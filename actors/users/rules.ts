import { rules } from '../../contracts/declare/actor.ts'
import { users } from '../../contracts/users.ts'
import { friends } from './friends.ts'
import { profile } from './profile.ts'

export const userRules = rules(users, {
  decide: { ...profile.decide, ...friends.decide },
  apply: { ...profile.apply, ...friends.apply },
  answer: { ...profile.answer, ...friends.answer },
})
