import type { Mailbox } from '../../actors/kernel/ports/mailbox/port.ts'
import { ConditionLost, Conflict, type Store } from '../../actors/kernel/ports/store/port.ts'
import { isOurFault } from '../../actors/kernel/process/our-fault.ts'
import type { Ports } from '../../actors/kernel/process/ports.ts'
import { overloaded } from '../request/problems.ts'

/** How long a client is told to wait after an engine failed. */
const RETRY_AFTER_S = 2

const refuseWhenDown =
  <A extends readonly unknown[], R>(what: string, call: (...args: A) => Promise<R>) =>
  async (...args: A): Promise<R> => {
    try {
      return await call(...args)
    } catch (error) {
      // These are no engine's fault.
      if (error instanceof ConditionLost || error instanceof Conflict || isOurFault(error)) throw error
      throw overloaded(`${what} cannot be reached at the moment`, RETRY_AFTER_S, error)
    }
  }

/** The engines as the edge uses them: when one fails, the caller is told to come back (`503`), not that the edge is broken (`500`). */
export const unavailable = ({
  store,
  mailbox,
}: Pick<Ports, 'store' | 'mailbox'>): { store: Store; mailbox: Pick<Mailbox, 'send' | 'depth'> } => ({
  store: {
    get: refuseWhenDown('the store', store.get),
    query: refuseWhenDown('the store', store.query),
    commit: refuseWhenDown('the store', store.commit),
  },
  mailbox: { send: refuseWhenDown('the mailbox', mailbox.send), depth: mailbox.depth },
})
