import { buildApp } from 'fauxqs'
import { addressQueues } from './addresses.ts'
import { takeAllCharacters } from './characters.ts'
import { holdLongPolls } from './long-polls.ts'
import { refuseWhatAwsRefuses } from './refusals.ts'

/** Queues and topics on loopback. `endpoint` serves both protocols, and `GET <endpoint>/_fauxqs/queues/<name>` shows a queue without touching it. */
export type SqsSns = { endpoint: string; close(): Promise<void> }

/**
 * Starts SQS and SNS in this process, in memory: what is queued is gone when it closes.
 * Account 000000000000; the region is the one the client signs for. Queue addresses start with `endpoint`.
 * `close` answers the polls that wait (empty) and then the port is free.
 * @param port of 127.0.0.1; 0, the default, takes a free one. Rejects with EADDRINUSE when it is taken.
 */
export async function startSqsSns({ port = 0 }: { port?: number } = {}): Promise<SqsSns> {
  await takeAllCharacters()
  const app = buildApp({ logger: false })
  addressQueues(app)
  refuseWhatAwsRefuses(app)
  holdLongPolls(app)
  // fauxqs' own start function binds every interface.
  const endpoint = await app.listen({ host: '127.0.0.1', port })
  return { endpoint, close: () => app.close() }
}
