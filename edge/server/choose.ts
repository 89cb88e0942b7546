import { explainLoadFailure, SERVER_REASONS, type ServerReason, thisMachine } from './load-failure.ts'
import { listen as listenOnNode } from './node.ts'
import type { Listen } from './port.ts'

export type ServerName = 'uws' | 'node'
/**
 * @property reason why it is this one: one of few
 * @property why the same for people, with what was found here
 */
export type Server = { readonly name: ServerName; readonly reason: ServerReason; readonly why: string; readonly listen: Listen }

const loadUws = async (): Promise<Listen> => (await import('./uws.ts')).listen
const chosen = (name: ServerName, reason: ServerReason, listen: Listen, why: string = reason): Server => ({ name, reason, why, listen })

/**
 * The library that serves: uWebSockets.js where its binary loads, node:http everywhere else.
 * @param wanted forces one. @param load for tests, and so is machine
 * @throws an error that says why, and what to do, when uWebSockets.js is wanted and does not load
 */
export const chooseServer = async (
  wanted: ServerName | undefined,
  load: () => Promise<Listen> = loadUws,
  machine = thisMachine,
): Promise<Server> => {
  if (wanted === 'node') return chosen('node', SERVER_REASONS.forced, listenOnNode)
  try {
    const listen = await load()
    return chosen('uws', wanted === 'uws' ? SERVER_REASONS.forced : SERVER_REASONS.loads, listen)
  } catch (cause) {
    const { reason, detail, remedy } = explainLoadFailure(cause, machine())
    if (wanted === 'uws')
      throw new Error(
        `EDGE_SERVER is uws, and uWebSockets.js does not load here: ${detail}. Either ${remedy}; or leave EDGE_SERVER out, and node:http serves`,
        { cause },
      )
    return chosen('node', reason, listenOnNode, `uWebSockets.js does not load here: ${detail}`)
  }
}
