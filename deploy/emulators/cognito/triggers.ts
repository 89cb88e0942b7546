import { CognitoError, UserLambdaValidationError } from 'cognito-local/lib/errors.js'
import type { Triggers } from 'cognito-local/lib/services/triggers/index.js'
import { attributesToRecord } from 'cognito-local/lib/services/userPoolService.js'
import type { PostConfirmationEvent } from './ipc.ts'

/** Cognito gives a trigger five seconds. */
const TRIGGER_MS = 5_000

/**
 * The pool's triggers: everybody is confirmed at once, then `confirmed` runs and sign-up waits for it.
 * When it fails, sign-up answers `UserLambdaValidationException` and the user exists and is confirmed, as on AWS; the emulator's own would hide it.
 */
export function poolTriggers(region: string, confirmed: (event: PostConfirmationEvent) => Promise<void>): Triggers {
  const absent = async (): Promise<never> => {
    throw new Error('this pool has no such trigger')
  }
  return {
    enabled: trigger => trigger === 'PreSignUp' || trigger === 'PostConfirmation',
    preSignUp: async () => ({ autoConfirmUser: true, autoVerifyEmail: true, autoVerifyPhone: false }),
    async postConfirmation(_ctx, { clientId, clientMetadata, source, userAttributes, username, userPoolId }) {
      const event: PostConfirmationEvent = {
        version: '1',
        region,
        userPoolId,
        userName: username,
        callerContext: { awsSdkVersion: 'aws-sdk-unknown-unknown', clientId: clientId ?? 'CLIENT_ID_NOT_APPLICABLE' },
        triggerSource: source,
        request: { userAttributes: attributesToRecord(userAttributes), ...(clientMetadata && { clientMetadata }) },
        response: {},
      }
      await within(TRIGGER_MS, confirmed(event))
    },
    customMessage: absent,
    customEmailSender: absent,
    postAuthentication: absent,
    preTokenGeneration: absent,
    userMigration: absent,
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const error = new CognitoError('UnexpectedLambdaException', `PostConfirmation did not answer within ${ms / 1000} seconds.`)
    timer = setTimeout(() => reject(error), ms)
  })
  const failed = (error: unknown): never => {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UserLambdaValidationError(`PostConfirmation failed with error ${reason}.`)
  }
  try {
    await Promise.race([work.catch(failed), late])
  } finally {
    clearTimeout(timer)
  }
}
