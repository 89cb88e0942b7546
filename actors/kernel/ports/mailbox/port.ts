/** A message as it goes into a queue. `group` orders it (FIFO queues), `id` lets a FIFO queue drop a repeat within its window. */
export type Outgoing = {
  readonly id: string
  readonly group?: string
  readonly body: string
  readonly attributes?: Readonly<Record<string, string>>
}

/** What no queue and no topic would take, however often it is sent. The fault is its author's, no engine's. */
export class Unsendable extends Error {
  override readonly name = 'Unsendable'
}

/** A message as it was received. `receives` counts from 1; `sentAt` is epoch ms, the queue's own stamp. */
export type Delivery = {
  readonly id: string
  readonly group: string | undefined
  readonly body: string
  readonly attributes: Readonly<Record<string, string>>
  readonly receives: number
  readonly sentAt: number
  /** Takes it off the queue. A stale handle is no error. */
  readonly ack: () => Promise<void>
  /** Keeps it from others for so many seconds from now; 0 gives it back at once. A stale handle is no error. */
  readonly extend: (seconds: number) => Promise<void>
}

export type Consumer = {
  /** Ends polling, lets a long poll under way finish; what it brings still goes to the handler. Resolves when nothing more will come. */
  readonly stop: () => Promise<void>
  /** Whether its polls reach the queue, and since when they have not (epoch ms). */
  readonly health: () => { readonly ok: boolean; readonly error: string | null }
}

export type ConsumeOptions = {
  readonly pollers: number
  /** Seconds that a received message stays hidden. */
  readonly visibility: number
  /** How long a poll waits for a message; default 20 s. Who stops polling soon asks for less. */
  readonly waitSeconds?: number
  /** Called before each poll: a consumer that is full, or whose engines fail, waits here. */
  readonly ready?: () => Promise<void>
}

/** Queues. Names are those of the topology without the deployment's prefix, e.g. `posts.fifo`, `posts-dead.fifo`, `timelines-events`. */
export type Mailbox = {
  /** Resolves when the queue has it. Callers at about the same time share one request; one that fails does not fail its neighbours. */
  readonly send: (queue: string, message: Outgoing) => Promise<void>
  /** Starts polling. The handler gets each receive (at most 10), hands it on and returns; acks, visibility and order are the caller's business. */
  readonly consume: (queue: string, options: ConsumeOptions, handler: (deliveries: readonly Delivery[]) => Promise<void>) => Consumer
  /** Messages waiting, and in flight (approximate). */
  readonly depth: (queue: string) => Promise<{ waiting: number; inFlight: number }>
}
