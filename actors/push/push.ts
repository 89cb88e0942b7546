import { push } from '../../contracts/push.ts'
import { implement } from '../authoring/authoring.ts'
import type { Config } from '../kernel/config/config.ts'
import { deliveries } from './deliver.ts'
import { pushHandlers } from './handlers.ts'
import { pushRules } from './rules.ts'
import { pushViews } from './views.ts'

/** The key pair that messages are signed with; without one people can subscribe, and nothing is sent. */
const vapidOf = ({ VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey, VAPID_SUBJECT: subject }: Config) =>
  publicKey && privateKey && subject ? { publicKey, privateKey, subject } : undefined

export const pushActor = implement(push, config => {
  const vapid = vapidOf(config)
  const allowed = config.PUSH_ALLOW_ORIGINS
  return {
    rules: pushRules(allowed),
    on: pushHandlers(vapid !== undefined),
    views: pushViews(vapid?.publicKey),
    jobs: vapid === undefined ? [] : [deliveries({ vapid, allowed })],
  }
})
