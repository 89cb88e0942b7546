import { deadline } from '../../actors/kernel/ports/clock/deadline.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { CLOSE } from '../../contracts/frames.ts'
import type { Access } from '../access/access.ts'
import type { Address } from '../access/address.ts'
import { bearerOf, type Caller } from '../access/auth.ts'
import { counts } from '../access/counts.ts'
import { EdgeProblem, late } from '../request/problems.ts'
import type { EdgeRequest } from '../request/request.ts'
import type { ConnectionRegistry } from './connections.ts'
import { offered } from './subprotocols.ts'

/** How many sockets a person, and an address, may have open at this edge. */
type SocketLimits = { readonly perUser: number; readonly perAddress: number }
/** A socket that is not let in. A refusal must come before any other frame, and only an open socket can tell its reason. */
export type Refused = { readonly code: number; readonly reason: string; readonly network?: string | undefined }
/** A socket that is let in. @property network counts the socket; undefined: the address is exempt */
export type Admitted = { readonly caller: Caller; readonly network: string | undefined }

export type SocketAdmissionOptions = {
  readonly access: Pick<Access, 'auth' | 'limits' | 'locate'>
  readonly connections: ConnectionRegistry
  readonly clock: Clock
  readonly socketLimits: SocketLimits
  readonly subprotocol: string
  readonly originAllowed: (origin: string) => boolean
  readonly draining: () => boolean
}

/** How long the check of a token may take, keys that have to be fetched for it included. */
const TOKEN_TIMEOUT_MS = 5_000

const refusal = (code: number, reason: string): Refused => ({ code, reason })

/** Finds out who opens a socket, and draws on the budgets for it. @throws EdgeProblem where the token is bad, or cannot be verified */
const callerCheck = ({ access, clock, subprotocol, originAllowed, draining }: SocketAdmissionOptions) => {
  const { auth, limits } = access
  return async ({ headers }: EdgeRequest, address: Address): Promise<Caller | Refused> => {
    const origin = headers.get('origin')
    if (origin !== undefined && !originAllowed(origin)) return refusal(CLOSE.origin, 'this origin may not connect')
    if (draining()) return refusal(CLOSE.restart, 'this edge is going away')
    const { network } = address
    const over = limits.exempt(address) ? 0 : limits.addresses.reads.draw(network, clock.elapsed()).retryAfter
    if (over > 0) return refusal(CLOSE.budget, `too many requests; try again in ${over} s`)
    const token = offered(headers.get('sec-websocket-protocol'), subprotocol).token ?? bearerOf(headers.get('authorization'))
    const known = auth.recall(token)
    if (!known && !limits.exempt(address) && limits.anonymous.draw(network, clock.elapsed()).retryAfter > 0)
      return refusal(CLOSE.budget, 'too many requests without a known token')
    const caller = known ?? (await auth.verify(token))
    if (limits.users.reads.draw(caller.id, clock.elapsed()).retryAfter > 0) return refusal(CLOSE.budget, 'the budget of reads is used up')
    return caller
  }
}

/** Decides who may open a socket. */
export const socketAdmission = (options: SocketAdmissionOptions) => {
  const { access, connections, clock, socketLimits } = options
  const check = callerCheck(options)
  /** Sockets by network, from before the first look at a token: those that wait for it to be checked count, too. */
  const networks = counts()
  const refuseThrown = (error: unknown): Refused =>
    // Keys that cannot be had are our trouble, not the token's.
    error instanceof EdgeProblem && error.status === 401
      ? refusal(CLOSE.token, 'a valid token is needed')
      : refusal(CLOSE.restart, 'try again later')
  return {
    /** Never rejects. */
    admit: async (request: EdgeRequest): Promise<Admitted | Refused> => {
      const address = access.locate(request)
      const network = access.limits.exempt(address) ? undefined : address.network
      if (network !== undefined) {
        if (networks.of(network) >= socketLimits.perAddress)
          return refusal(CLOSE.budget, `${socketLimits.perAddress} sockets of this address are open`)
        networks.add(network)
      }
      const checked = deadline(clock, TOKEN_TIMEOUT_MS).race(check(request, address), late('the token could not be verified in time'))
      const caller = await checked.catch(refuseThrown)
      return 'code' in caller ? { ...caller, network } : { caller, network }
    },
    /** Refuses one socket more than a person may have. It is asked at once before the connection is added: what came between would not be counted. */
    refuseOneMore: ({ caller, network }: Admitted): Refused | undefined =>
      (connections.of(caller.id)?.size ?? 0) < socketLimits.perUser
        ? undefined
        : { ...refusal(CLOSE.budget, `${socketLimits.perUser} sockets of yours are open`), network },
    /** A socket is gone, whether it was let in or not. */
    release: ({ network }: { readonly network?: string | undefined }): void => {
      if (network !== undefined) networks.remove(network)
    },
  }
}
export type SocketAdmission = ReturnType<typeof socketAdmission>
