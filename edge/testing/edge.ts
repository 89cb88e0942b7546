import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import type { ViewTable } from '../../actors/kernel/authoring/implement.ts'
import { type Config, readConfig } from '../../actors/kernel/config/config.ts'
import { memoryBackplane } from '../../actors/kernel/ports/backplane/memory.ts'
import { systemClock } from '../../actors/kernel/ports/clock/system.ts'
import { memoryMailbox } from '../../actors/kernel/ports/mailbox/memory.ts'
import { memoryStore } from '../../actors/kernel/ports/store/memory.ts'
import { productOf } from '../../actors/product.ts'
import { createEdge, type EdgeOptions } from '../core.ts'
import type { EdgeAnswer, EdgeRequest } from '../request/request.ts'
import { CLIENT, newPool, POOL, type TestPool } from './pool.ts'

/** Edges for tests: in-memory engines, a pool of the test's own, requests without a socket. */

export const silent = pino({ level: 'silent' })

export const memoryPorts = () => {
  const clock = systemClock
  return {
    clock,
    store: memoryStore({ clock }),
    mailbox: memoryMailbox({ clock, random: Math.random }),
    backplane: memoryBackplane({ clock }),
  }
}

export const configFor = (pool: TestPool, over: Partial<Record<keyof Config, string>> = {}): Config =>
  readConfig(
    {
      COGNITO_USER_POOL_ID: POOL,
      COGNITO_CLIENT_ID: CLIENT,
      COGNITO_JWKS: JSON.stringify(pool.jwks),
      EDGE_SECRET: 'a secret of the test that is long enough',
      PORT: '0',
      ...over,
    },
    { prefix: 'test-' },
  )

/** Views that answer `not-found` to everything, but those given. */
export const viewsWith = (given: ViewTable): ViewTable =>
  new Proxy(given, {
    get: (views, type) => (typeof type === 'string' ? (views[type] ?? (async () => ({ refused: 'not-found' }))) : undefined),
  })

export type TestEdgeOptions = Partial<Omit<EdgeOptions, 'config'>> & {
  readonly pool?: TestPool
  readonly config?: Partial<Record<keyof Config, string>>
}
export const optionsFor = (options: TestEdgeOptions) => {
  const { pool = newPool(), config: given, ...rest } = options
  const config = configFor(pool, given)
  return {
    pool,
    options: {
      ...productOf(config),
      ports: memoryPorts(),
      log: silent,
      registry: new Registry(),
      views: viewsWith({}),
      ...rest,
      config,
    } satisfies EdgeOptions,
  }
}

export type Sent = {
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON. */
  readonly body?: unknown
  readonly address?: string
}
/** A request as a server would hand it over. */
export const request = (method: string, target: string, { token, headers = {}, body, address = '192.0.2.1' }: Sent = {}): EdgeRequest => {
  const [path = '', query = ''] = target.split(/\?(.*)/s)
  const bytes =
    body === undefined
      ? new Uint8Array(0)
      : body instanceof Uint8Array
        ? body
        : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return {
    method,
    path,
    query,
    headers: new Map(
      Object.entries({
        host: 'edge.test',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      }),
    ),
    body: bytes,
    oversized: false,
    address,
  }
}
export const json = (answer: EdgeAnswer): unknown => (answer.body === '' ? undefined : JSON.parse(answer.body))

/** An edge, and somebody who calls it. */
export const testEdge = async (given: TestEdgeOptions = {}) => {
  const { pool, options } = optionsFor(given)
  const edge = await createEdge(options)
  edge.serving('edge.test')
  const user = randomUUID()
  const token = pool.token(user)
  return {
    edge,
    pool,
    user,
    token,
    ports: options.ports,
    /** Calls as `user`, unless another token is given (an empty one: none). */
    call: (method: string, target: string, sent: Sent = {}) => {
      const bearer = sent.token ?? token
      const { token: _, ...rest } = sent
      return edge.handle(request(method, target, bearer === '' ? rest : { ...rest, token: bearer }))
    },
  }
}
export type TestEdge = Awaited<ReturnType<typeof testEdge>>
