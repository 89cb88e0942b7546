import type { Backplane } from './backplane/port.ts'
import type { Clock } from './clock/port.ts'
import type { EventBus } from './events/port.ts'
import type { Jobs } from './jobs/port.ts'
import type { Mailbox } from './mailbox/port.ts'
import type { Store } from './store/port.ts'

/** Everything that the mesh stands on. */
export type Ports = {
  readonly store: Store
  readonly mailbox: Mailbox
  readonly events: EventBus
  readonly backplane: Backplane
  readonly jobs: Jobs
  readonly clock: Clock
}
