import type { Jwks } from 'aws-jwt-verify/jwk'

/** What the child is started with, as one JSON argument. `port` 0 takes a free one. */
export type ChildConfig = {
  host: string
  port: number
  /** Those that the API takes; any port of this machine besides. */
  origins: readonly string[]
  dataDir: string
  region: string
  userPoolId: string
  clientId: string
}

/**
 * The event Cognito hands to a post-confirmation Lambda.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-confirmation.html
 */
export type PostConfirmationEvent = {
  version: string
  region: string
  userPoolId: string
  /** The user's id: equal to `request.userAttributes.sub` in a pool where people sign in with an e-mail address. */
  userName: string
  callerContext: { awsSdkVersion: string; clientId: string }
  triggerSource: 'PostConfirmation_ConfirmSignUp' | 'PostConfirmation_ConfirmForgotPassword'
  request: { userAttributes: Record<string, string>; clientMetadata?: Record<string, string> }
  response: Record<string, never>
}

/** What Cognito would send by e-mail. */
export type CodeMessage = {
  readonly to: string
  readonly code: string
  /** To set a forgotten password anew, or to prove an address. */
  readonly purpose: 'password' | 'email'
  readonly validMinutes: number
}

export type FromChild =
  | { kind: 'ready'; port: number; jwks: Jwks }
  | { kind: 'failed'; message: string; code?: string }
  | { kind: 'confirmed'; id: number; event: PostConfirmationEvent }
  | { kind: 'code'; message: CodeMessage }
  /** Why users cannot be kept at the moment; without `why`, they can again. */
  | { kind: 'storage'; why?: string }

/** The handler of the event with that id has finished; `error` is the message of what it threw. */
export type ToChild = { kind: 'handled'; id: number; error?: string }
