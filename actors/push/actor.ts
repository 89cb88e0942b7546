import { push } from '../../contracts/push.ts'
import type { ActorCode } from '../kernel/authoring/actor-code.ts'
import type { Config } from '../kernel/process/config.ts'
import { deliveries, type Sending } from './deliver.ts'
import hearings from './handlers.ts'
import rules from './rules.ts'

export type PushSettings = Pick<Sending, 'allowed' | 'transport'> & {
  /** Undefined: people can subscribe, and nothing is sent. */
  readonly vapid: Sending['vapid'] | undefined
}

/** What the environment says of push messages. */
export const pushSettings = (
  c: Pick<Config, 'VAPID_PUBLIC_KEY' | 'VAPID_PRIVATE_KEY' | 'VAPID_SUBJECT' | 'PUSH_ALLOW_ORIGINS'>,
): PushSettings => {
  const { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey, VAPID_SUBJECT: subject } = c
  const vapid = publicKey && privateKey && subject ? { publicKey, privateKey, subject } : undefined
  return { vapid, allowed: c.PUSH_ALLOW_ORIGINS }
}

/** The push actor of a deployment. */
export const pushCode = ({ vapid, ...rest }: PushSettings): ActorCode => ({
  declaration: push,
  rules: rules(rest.allowed),
  hearings: hearings(vapid !== undefined),
  works: vapid === undefined ? [] : [deliveries({ vapid, ...rest })],
})
