import type { Backplane } from '../../actors/kernel/ports/backplane/port.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { Store } from '../../actors/kernel/ports/store/port.ts'
import { keepOperation } from '../../actors/kernel/turn/replies.ts'
import type { Reply } from '../../contracts/declare/envelope.ts'
import type { ReplyWaiters } from './reply-waiters.ts'

/**
 * Takes the replies that reach this edge: who waits is answered, and the backplane may forget. For whom nobody waits any more, its caller was told an
 * operation id: the reply becomes that operation, as the backplane does not keep it long enough.
 */
export const lateReplies = (
  waiters: Pick<ReplyWaiters, 'resolve'>,
  backplane: Pick<Backplane, 'forgetReply'>,
  store: Pick<Store, 'commit'>,
  clock: Clock,
  log: (error: unknown) => void,
) => {
  const underWay = new Set<Promise<void>>()
  const keep = (id: string, reply: Reply): void => {
    const keeping = keepOperation(store, id, reply, clock.now())
      .catch(log)
      .finally(() => underWay.delete(keeping))
    underWay.add(keeping)
  }
  return {
    reply: (id: string, reply: Reply, kept: boolean): void => {
      const answered = waiters.resolve(id, reply)
      if (kept) return
      // A backplane that cannot be told forgets it with the time.
      if (answered) void backplane.forgetReply(id).catch(() => {})
      else keep(id, reply)
    },
    /** Resolves when what came late is kept. */
    allKept: async (): Promise<void> => {
      await Promise.all(underWay)
    },
  }
}
