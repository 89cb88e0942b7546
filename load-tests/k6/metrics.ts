import { Counter, Rate, Trend } from 'k6/metrics'

/** What the scenarios count beyond what k6 counts by itself. `summary.ts` shows them, `thresholds.ts` judges them. */

/** Of everything said to the mesh, and every round: did it come to a wrong end? A refusal that a retry got over is none. */
export const failures = new Rate('failures')
/** Refusals for load, each followed by a retry after the time that `Retry-After` asks for. */
export const refused429 = new Counter('refused_429')
export const refused503 = new Counter('refused_503')
/** Writes whose answer did not come within the edge's wait; their operation is followed to its end. */
export const accepted202 = new Counter('accepted_202')

/** Acknowledged posts. */
export const published = new Counter('posts_published')
/** A post to be seen by a friend, on the timeline or on a connected socket: how many had to be, were, and were not until the deadline. */
export const due = new Counter('deliveries_due')
export const seen = new Counter('deliveries_seen')
export const lost = new Counter('lost')
/** An event that a device heard twice. */
export const doubled = new Counter('doubled')
/** From the reply to the author until a friend sees the post; tag `by`: timeline or socket. */
export const visible = new Trend('time_to_visible', true)

/** Until `hello`. */
export const hello = new Trend('time_to_hello', true)
export const dropped = new Counter('sockets_dropped')

/** Counts a delivery that was due. @param since epoch ms @param at when it was seen; undefined when it was not */
export const delivered = (by: 'timeline' | 'socket', since: number, at: number | undefined): void => {
  due.add(1)
  if (at === undefined) lost.add(1, { by })
  else {
    seen.add(1)
    // an event may be faster than the reply
    visible.add(Math.max(0, at - since), { by })
  }
}

/** A counter that nothing was added to does not exist for a threshold: a run in which nothing happened would pass. */
export const beginCounting = (): void => {
  for (const counter of [refused429, refused503, accepted202, published, due, seen, lost, doubled, dropped]) counter.add(0)
}
