import type { Reply } from '../../../../contracts/declare/envelope.ts'
import type { Span } from '../tracing/span.ts'

/** A frame for the devices of some people, in one edge. `id` is the event's: a device is sent each id once. */
export type Live = {
  readonly id: string
  readonly to: readonly string[]
  readonly type: string
  readonly at: string
  readonly data: unknown
}

/** What an edge hears. */
export type EdgeListener = {
  /** @param kept the reply is in the store: nobody else needs to keep it for who asks later */
  readonly reply: (command: string, reply: Reply, kept: boolean) => void
  readonly live: (frame: Live) => void
  /**
   * Live frames since then (epoch ms) may have passed it by: for a while it was not heard, or nobody knew who was here.
   * @param users whom it concerns; without them everybody here
   */
  readonly missed?: (since: number, users?: readonly string[]) => void
}

/** An edge's place on the backplane. */
export type EdgeSeat = {
  /** Somebody's first device came, or last device went. Presence of an edge that dies goes within 90 s. */
  readonly present: (user: string) => Promise<void>
  readonly absent: (user: string) => Promise<void>
  readonly leave: () => Promise<void>
}

/**
 * What edges and workers tell each other in passing. Nothing here is the truth: losing all of it costs waiting callers a 202 and sockets a resume, nothing else.
 */
export type Backplane = {
  /**
   * Tells the edge that waits, and lets the reply stay for half a minute, in case the edge did not hear it.
   * @param kept the reply is in the store already and does not stay here
   * @returns whether an edge of that name listens; if not, the reply must be kept elsewhere for whoever asks later
   */
  readonly reply: (edge: string, command: string, reply: Reply, kept?: boolean) => Promise<boolean>
  readonly replyOf: (command: string) => Promise<Reply | undefined>
  /** The reply has reached its caller: nobody will ask for it. */
  readonly forgetReply: (command: string) => Promise<void>
  readonly join: (edge: string, listener: EdgeListener) => Promise<EdgeSeat>
  /** Which of these people have a device connected, and at which edges. */
  readonly online: (users: readonly string[]) => Promise<ReadonlyMap<string, readonly string[]>>
  readonly deliver: (edge: string, frames: readonly Live[]) => Promise<void>
  /** Keeps a span of a sampled request until ten minutes after its first one, a bounded number a request; `spans` gives a request's, in no order. */
  readonly trace: (span: Span) => Promise<void>
  readonly spans: (request: string) => Promise<readonly Span[]>
  /** `ok`: all of it works. `reachable`: replies and live frames come through, though presence or replies may not be taken for keeping. */
  readonly health: () => { readonly ok: boolean; readonly reachable: boolean; readonly error: string | null }
  readonly close: () => Promise<void>
}
