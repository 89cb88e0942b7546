import type { StreamEvents, StreamEventType } from '../../contracts/stream.ts'
import type { EffectContext } from '../kernel/authoring/handlers.ts'
import type { Live } from '../kernel/ports/backplane/port.ts'

/** What some people are told of an event: those who are told the same share a frame. */
type Telling<E extends StreamEventType> = { readonly to: readonly string[]; readonly data: StreamEvents[E] }

type Told<E> = { readonly type: E; readonly id: string; readonly at: string }
type Edges = ReadonlyMap<string, readonly string[]>

const add = <T>(lists: Map<string, T[]>, key: string, item: T): void => {
  const list = lists.get(key)
  if (list) list.push(item)
  else lists.set(key, [item])
}

/** A frame for each telling that concerns an edge, with those of its people who are connected there. */
const framesByEdge = <E extends StreamEventType>(
  { id, type, at }: Told<E>,
  tellings: readonly Telling<E>[],
  edges: Edges,
): ReadonlyMap<string, readonly Live[]> => {
  const byEdge = new Map<string, Live[]>()
  for (const { to, data } of tellings) {
    const there = new Map<string, string[]>()
    for (const person of to) for (const edge of edges.get(person) ?? []) add(there, edge, person)
    for (const [edge, people] of there) add(byEdge, edge, { id, to: people, type, at, data })
  }
  return byEdge
}

/**
 * Tells an event to the devices that are connected right now, in one delivery an edge. Nothing is read for people who are away: they resume.
 * @param audience whom it concerns, repeats allowed
 * @param tell who of the people online is told what; whom it leaves out may not see the thing any more
 */
export const tellOnline = async <E extends StreamEventType>(
  { backplane }: EffectContext,
  event: Told<E>,
  audience: readonly string[],
  tell: (online: readonly string[]) => Promise<readonly Telling<E>[]>,
): Promise<void> => {
  const people = [...new Set(audience)]
  const edges = await backplane.online(people)
  const online = people.filter(person => (edges.get(person)?.length ?? 0) > 0)
  if (online.length === 0) return
  const frames = framesByEdge(event, await tell(online), edges)
  await Promise.all([...frames].map(([edge, live]) => backplane.deliver(edge, live)))
}
