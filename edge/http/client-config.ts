import type { Config } from '../../actors/kernel/config/config.ts'
import { type ClientConfig, MAX_PAGE_ITEMS } from '../../contracts/edge.ts'
import type { Budget } from '../../contracts/limits.ts'
import { ADDRESS_FACTOR, CONTROL_FRAMES } from '../access/limits.ts'
import { MAX_WAIT_S } from '../request/prefer.ts'
import { type EdgeRequest, MOST_BYTES } from '../request/request.ts'

export type ClientConfigSource = Pick<
  Config,
  | 'AWS_REGION'
  | 'COGNITO_USER_POOL_ID'
  | 'COGNITO_CLIENT_ID'
  | 'COGNITO_ENDPOINT'
  | 'EMBEDDED'
  | 'READS_PER_SECOND'
  | 'READS_BURST'
  | 'WRITES_PER_SECOND'
  | 'WRITES_BURST'
  | 'SOCKETS_PER_USER'
  | 'SOCKETS_PER_ADDRESS'
  | 'UNANSWERED_WRITES_PER_USER'
  | 'WAITERS_PER_KEY'
  | 'UNSETTLED_COMMANDS_PER_KEY'
>

/** What the product's clients need to know besides. @property limits those that are the product's */
export type ClientExtras = { readonly push?: ClientConfig['push']; readonly limits?: Readonly<Record<string, number>> }

const HOST = /^(?:[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::\d{1,5})?$/

/** Under which name the client found this edge; a header that is no host name does not end up in an address. */
const hostOf = (request: EdgeRequest, own: string): string => {
  const given = request.headers.get('host') ?? ''
  return HOST.test(given) ? given : own
}

/** Whether the client came over TLS, as far as a load balancer says so. */
const secure = (request: EdgeRequest): boolean | undefined => {
  const scheme = request.headers.get('x-forwarded-proto')
  return scheme === undefined ? undefined : scheme === 'https'
}

const edgeLimits = (config: ClientConfigSource) => {
  const reads = { perSecond: config.READS_PER_SECOND, burst: config.READS_BURST }
  const writes = { perSecond: config.WRITES_PER_SECOND, burst: config.WRITES_BURST }
  const ofAddress = ({ perSecond, burst }: Budget) => ({ perSecond: perSecond * ADDRESS_FACTOR, burst: burst * ADDRESS_FACTOR })
  return {
    countedAt: 'edge' as const,
    reads,
    writes,
    addresses: {
      reads: ofAddress(reads),
      writes: ofAddress(writes),
      withoutToken: reads,
      sockets: config.SOCKETS_PER_ADDRESS,
      exemptLoopback: config.EMBEDDED,
    },
    controlFrames: CONTROL_FRAMES,
    sockets: config.SOCKETS_PER_USER,
    unansweredWrites: config.UNANSWERED_WRITES_PER_USER,
    waitersPerKey: config.WAITERS_PER_KEY,
    unsettledPerKey: config.UNSETTLED_COMMANDS_PER_KEY,
    longestWaitSeconds: MAX_WAIT_S,
    bodyBytes: MOST_BYTES,
    frameBytes: MOST_BYTES,
    pageItems: MAX_PAGE_ITEMS,
  }
}

/** What a client needs before it can sign in, all of it the edge's but the extras. */
export const clientConfig = (config: ClientConfigSource, { push, limits }: ClientExtras) => {
  const pool = config.COGNITO_USER_POOL_ID ?? ''
  const region = pool.split('_')[0] || config.AWS_REGION
  /** @param own host and port of this edge, for clients that name none */
  return (request: EdgeRequest, own: string) => ({
    auth: {
      region,
      userPoolId: pool,
      clientId: config.COGNITO_CLIENT_ID ?? '',
      endpoint: config.COGNITO_ENDPOINT ?? `https://cognito-idp.${region}.amazonaws.com/`,
    },
    ...(push === undefined ? {} : { push }),
    stream: `${(secure(request) ?? !config.EMBEDDED) ? 'wss' : 'ws'}://${hostOf(request, own)}/v1/stream`,
    limits: { ...edgeLimits(config), ...limits },
  })
}
