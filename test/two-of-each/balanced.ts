import { type MeshClient, meet } from '../../contracts/client/client.ts'

/**
 * Clients of several edges behind what a load balancer without health checks would be: one request here, the next one there, whoever is away.
 * Streams stay where they were opened: those of every second person at the second edge.
 */
export const balanced = async (edges: readonly string[]): Promise<MeshClient> => {
  let turn = 0
  const fetched: typeof fetch = (to, init) => {
    const url = new URL(String(to))
    const next = edges[turn++ % edges.length]
    return fetch(next !== undefined && edges.includes(url.origin) ? new URL(url.pathname + url.search, next) : url, init)
  }
  const all = await Promise.all(edges.map(edge => meetThrough(edge, fetched)))
  const [first] = all
  if (!first) throw new Error('there is no edge')
  let people = 0
  return { ...first, signIn: credentials => (all[people++ % all.length] ?? first).signIn(credentials) }
}

/** Its own configuration, which says where its stream is; everything else through `fetched`. */
const meetThrough = async (edge: string, fetched: typeof fetch): Promise<MeshClient> => {
  let met = false
  return meet(edge, (to, init) => {
    if (met) return fetched(to, init)
    met = true
    return fetch(to, init)
  })
}
