import { BEARER_SUBPROTOCOL } from '../../contracts/frames.ts'

/**
 * What a client's `Sec-WebSocket-Protocol` offers: our protocol, and perhaps its token, as browsers can set no other header.
 * @param subprotocol ours
 */
export const offered = (
  header: string | undefined,
  subprotocol: string,
): { readonly ours: boolean; readonly token: string | undefined } => {
  const names = (header ?? '').split(',').map(s => s.trim())
  const token = names.find(n => n.startsWith(BEARER_SUBPROTOCOL))?.slice(BEARER_SUBPROTOCOL.length)
  return { ours: names.includes(subprotocol), token }
}
