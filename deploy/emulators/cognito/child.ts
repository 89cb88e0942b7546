import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Jwk } from 'aws-jwt-verify/jwk'
import { UnsupportedError } from 'cognito-local/lib/errors.js'
import { DefaultConfig } from 'cognito-local/lib/server/config.js'
import { Router } from 'cognito-local/lib/server/Router.js'
import { DateClock } from 'cognito-local/lib/services/clock.js'
import type { Context } from 'cognito-local/lib/services/context.js'
import type { Messages } from 'cognito-local/lib/services/messages.js'
import { otp } from 'cognito-local/lib/services/otp.js'
import type { TokenGenerator } from 'cognito-local/lib/services/tokenGenerator.js'
import { attributeValue } from 'cognito-local/lib/services/userPoolService.js'
import { originCheck } from '../../../edge/http/cors.ts'
import { cognitoHttp } from './http.ts'
import type { ChildConfig, FromChild, PostConfirmationEvent, ToChild } from './ipc.ts'
import { type Journal, openJournal } from './journal.ts'
import { openPool } from './open-pool.ts'
import { poolOperations } from './operations.ts'
import { poolPeople } from './people.ts'
import { cognitoRequests } from './requests.ts'
import { poolTriggers } from './triggers.ts'

/*
 * cognito-local as a process of its own, put together from its parts: its own entry point loads an AWS SDK to call
 * triggers, keeps users in a file that a kill tears, and hides a trigger's failure.
 * It ends with its parent: the channel closes however the parent dies.
 */
process.on('disconnect', () => process.exit())

/** How often it is seen to that the journals are still where they were. */
const LOOK_MS = 500

const quiet = (): void => {}
const ctx: Context = { logger: { child: () => ctx.logger, debug: quiet, info: quiet, warn: quiet, error: quiet } }

const tell = (message: FromChild): void => void process.send?.(message)

const handlers = new Map<number, (error: string | undefined) => void>()
let events = 0

process.on('message', ({ id, error }: ToChild) => {
  handlers.get(id)?.(error)
  handlers.delete(id)
})

function confirmed(event: PostConfirmationEvent): Promise<void> {
  const id = ++events
  return new Promise((resolve, reject) => {
    handlers.set(id, error => (error === undefined ? resolve() : reject(new Error(error))))
    tell({ kind: 'confirmed', id, event })
  })
}

/** What an administrator's call sends: the first password of somebody whom it made. */
const deliver: Messages['deliver'] = async (_ctx, source, _client, _pool, user, code) => {
  process.stderr.write(`Cognito would send ${attributeValue('email', user.Attributes) ?? user.Username} the password ${code} (${source})\n`)
}

/** All that gives tokens is done here (sign-in.ts). */
const noTokens: TokenGenerator = {
  generate: async () => {
    throw new UnsupportedError('tokens are given to whoever signs in')
  },
}

async function start({ host, port, origins, dataDir, region, userPoolId, clientId }: ChildConfig): Promise<void> {
  const clock = new DateClock()
  const triggers = poolTriggers(region, confirmed)
  const journals: Journal[] = []
  const openStore = async (name: string, defaults: object): Promise<Journal> => {
    const opened = await openJournal(join(dataDir, `${name}.jsonl`), defaults)
    journals.push(opened)
    return opened
  }
  const { cognito, pool } = await openPool({ dataDir, region, userPoolId, clientId }, { ctx, clock, openStore })
  const { jwk }: { jwk: Jwk } = createRequire(import.meta.url)('cognito-local/lib/keys/cognitoLocal.public.json')
  const jwks = { keys: [jwk] }
  const people = poolPeople(pool, cognito, ctx)
  const own = poolOperations(
    { region, userPoolId, clientId },
    { people, clock, triggers, ctx, jwks, tell: message => tell({ kind: 'code', message }) },
  )
  const route = Router({ clock, cognito, config: DefaultConfig, messages: { deliver }, otp, tokenGenerator: noTokens, triggers })
  const server = cognitoHttp(cognitoRequests(route, ctx, { people, ...own }), userPoolId, jwks, originCheck(origins, true))
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  tell({ kind: 'ready', port: address.port, jwks })
  watch(journals)
}

/** Tells the parent when what is to be kept cannot be kept any more, and when it can again. */
function watch(journals: readonly Journal[]): void {
  let told: string | undefined
  setInterval(() => {
    const [why] = journals.flatMap(journal => journal.trouble() ?? [])
    if (why !== told) tell({ kind: 'storage', ...(why === undefined ? {} : { why }) })
    told = why
  }, LOOK_MS)
}

start(JSON.parse(process.argv[2] ?? '{}')).catch((error: NodeJS.ErrnoException) => {
  tell({ kind: 'failed', message: error.message, ...(error.code && { code: error.code }) })
  process.disconnect()
  process.exitCode = 1
})
