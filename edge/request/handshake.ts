import { type EdgeProblem, edgeProblem } from './problems.ts'
import type { EdgeRequest } from './request.ts'

/** The header by which a client of another version learns which one to speak (RFC 6455, 4.4). */
const WANTED = { upgrade: 'websocket', connection: 'upgrade', 'sec-websocket-version': '13' }
/** 16 bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/

const tokens = (header: string | undefined) => (header ?? '').split(',').map(token => token.trim().toLowerCase())

/**
 * What is wrong with the opening of a WebSocket (RFC 6455, 4.2.1). The libraries look at some of it only.
 * @param subprotocol what the answer tells the client to ask for; a server, which answers nothing itself, need not say
 */
export const handshakeFault = ({ headers }: EdgeRequest, subprotocol = 'of the stream'): EdgeProblem | undefined => {
  if (!tokens(headers.get('upgrade')).includes('websocket') || !tokens(headers.get('connection')).includes('upgrade'))
    return edgeProblem('upgrade-required', `this is a WebSocket: connect with an upgrade and the subprotocol ${subprotocol}`, WANTED)
  if (headers.get('sec-websocket-version') !== '13') return edgeProblem('upgrade-required', 'the Sec-WebSocket-Version must be 13', WANTED)
  if (!KEY.test(headers.get('sec-websocket-key') ?? ''))
    return edgeProblem('bad-request', 'the Sec-WebSocket-Key must be 16 bytes in base64')
  if (headers.has('transfer-encoding') || (headers.get('content-length') ?? '0') !== '0')
    return edgeProblem('bad-request', 'the opening of a WebSocket has no body', { connection: 'close' })
  return undefined
}
