import { meet } from '../../contracts/client/client.ts'

export type Counts = { requests: number; unreachable: number; busy: number; accepted: number; replayed: number }

/** Meets a mesh and counts what its clients go through: lost connections, refusals for load, answers that did not wait, replayed ones. */
export const meetCounting = async (url: string) => {
  const counts: Counts = { requests: 0, unreachable: 0, busy: 0, accepted: 0, replayed: 0 }
  const mesh = await meet(url, async (to, init) => {
    counts.requests += 1
    try {
      const answer = await fetch(to, init)
      if (answer.status === 503 || answer.status === 429) counts.busy += 1
      if (answer.status === 202) counts.accepted += 1
      if (answer.headers.get('idempotency-replayed') === 'true') counts.replayed += 1
      return answer
    } catch (error) {
      counts.unreachable += 1
      throw error
    }
  })
  return { mesh, counts }
}
