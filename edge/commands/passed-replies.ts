import type { Backplane } from '../../actors/kernel/ports/backplane/port.ts'
import type { Reply } from '../../contracts/declare/envelope.ts'

/** Finds a reply that the backplane has kept although word of it was lost. */
export const passedReplies =
  (backplane: Pick<Backplane, 'replyOf' | 'health'>) =>
  async (id: string): Promise<Reply | undefined> =>
    backplane.health().reachable ? backplane.replyOf(id).catch(() => undefined) : undefined
export type FindPassedReply = ReturnType<typeof passedReplies>
