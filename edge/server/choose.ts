import { listen as listenOnNode } from './node.ts'
import type { Listen } from './port.ts'

export type ServerName = 'uws' | 'node'
/** @property why it is this one, for people */
export type Server = { readonly name: ServerName; readonly why: string; readonly listen: Listen }

const loadUws = async (): Promise<Listen> => (await import('./uws.ts')).listen

/**
 * The library that serves: uWebSockets.js where its binary loads, node:http everywhere else.
 * @param wanted forces one. @param load for tests
 * @throws an error when uWebSockets.js is wanted and does not load
 */
export const chooseServer = async (wanted: ServerName | undefined, load: () => Promise<Listen> = loadUws): Promise<Server> => {
  if (wanted === 'node') return { name: 'node', why: 'EDGE_SERVER says so', listen: listenOnNode }
  try {
    return { name: 'uws', why: wanted === 'uws' ? 'EDGE_SERVER says so' : 'its binary loads', listen: await load() }
  } catch (error) {
    if (wanted === 'uws') throw new Error('EDGE_SERVER is uws, and uWebSockets.js does not load here', { cause: error })
    const last = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error)
    return { name: 'node', why: `uWebSockets.js does not load here: ${last}`, listen: listenOnNode }
  }
}
