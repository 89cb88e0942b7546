import { DefaultConfig } from 'cognito-local/lib/server/config.js'
import type { Clock } from 'cognito-local/lib/services/clock.js'
import { type CognitoService, CognitoServiceImpl } from 'cognito-local/lib/services/cognitoService.js'
import type { Context } from 'cognito-local/lib/services/context.js'
import { EmailPool } from './email-pool.ts'
import { MIN_PASSWORD } from './fields.ts'
import type { ChildConfig } from './ipc.ts'
import type { Journal } from './journal.ts'

type PoolConfig = Pick<ChildConfig, 'dataDir' | 'region' | 'userPoolId' | 'clientId'>

/**
 * The pool and its client as they are configured now, with the users of before.
 * @param openStore opens what is kept under a name, new ones with the defaults
 */
export async function openPool(
  { dataDir, region, userPoolId, clientId }: PoolConfig,
  { ctx, clock, openStore }: { ctx: Context; clock: Clock; openStore: (name: string, defaults: object) => Promise<Journal> },
): Promise<{ cognito: CognitoService; pool: EmailPool }> {
  const pools = new Map<string, EmailPool>()
  const cognito = new CognitoServiceImpl(dataDir, await openStore('clients', { Clients: {} }), DefaultConfig.UserPoolDefaults, {
    async create(_ctx, clients, options) {
      const store = await openStore(options.Id, { Users: {} })
      const pool = new EmailPool(clients, clock, store, options, await store.get(ctx, 'Users', {}))
      pools.set(options.Id, pool)
      return pool
    },
  })
  await cognito.init(ctx)
  await cognito.createUserPool(ctx, {
    Id: userPoolId,
    Name: 'dailygrind',
    Arn: `arn:aws:cognito-idp:${region}:000000000000:userpool/${userPoolId}`,
    UsernameAttributes: ['email'],
    MfaConfiguration: 'OFF',
    UsernameConfiguration: { CaseSensitive: false },
    Policies: {
      PasswordPolicy: {
        MinimumLength: MIN_PASSWORD,
        RequireUppercase: false,
        RequireLowercase: false,
        RequireNumbers: false,
        RequireSymbols: false,
      },
    },
  })
  const pool = pools.get(userPoolId)
  if (pool === undefined) throw new Error(`the user pool ${userPoolId} was not opened`)
  await pool.saveAppClient(ctx, {
    UserPoolId: userPoolId,
    ClientId: clientId,
    ClientName: 'dailygrind',
    PreventUserExistenceErrors: 'ENABLED',
    ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    AccessTokenValidity: 1,
    IdTokenValidity: 1,
    RefreshTokenValidity: 30,
    TokenValidityUnits: { AccessToken: 'hours', IdToken: 'hours', RefreshToken: 'days' },
    CreationDate: clock.get(),
    LastModifiedDate: clock.get(),
  })
  return { cognito, pool }
}
