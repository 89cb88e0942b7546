import type { Backplane } from '../ports/backplane/port.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { EventBus } from '../ports/events/port.ts'
import type { Jobs } from '../ports/jobs/port.ts'
import type { Mailbox } from '../ports/mailbox/port.ts'
import type { Store } from '../ports/store/port.ts'

/** Everything that the mesh stands on. */
export type Ports = {
  readonly store: Store
  readonly mailbox: Mailbox
  readonly events: EventBus
  readonly backplane: Backplane
  readonly jobs: Jobs
  readonly clock: Clock
}
