import { buildApp } from 'fauxqs'
import { turnedAway, whyTurnedAway } from '../callers.ts'
import { addressQueues } from './addresses.ts'
import { takeAllCharacters } from './characters.ts'
import { deduplicateByGroup } from './deduplication.ts'
import { deliverAsAllowed } from './deliveries.ts'
import { holdLongPolls } from './long-polls.ts'
import { refuseWhatAwsRefuses } from './refusals.ts'
import { refuseOfSqs } from './sqs-refusals.ts'
import { openStores } from './stores.ts'

/** Queues and topics on loopback. `endpoint` serves both protocols, and `GET <endpoint>/_fauxqs/queues/<name>` shows a queue without touching it. */
export type SqsSns = { endpoint: string; close(): Promise<void> }

/**
 * Starts SQS and SNS in this process, in memory: what is queued is gone when it closes.
 * Account 000000000000; the region is the one the client signs for. Queue addresses start with `endpoint`.
 * `close` answers the polls that wait (empty) and then the port is free.
 * @param outliving as on AWS, a poll goes on when its client is gone, and what comes to it stays hidden until its visibility ends; by default it ends
 * with its client, so that stopping need not wait for it.
 * @param port of 127.0.0.1; 0, the default, takes a free one. Rejects with EADDRINUSE when it is taken.
 */
export async function startSqsSns({ port = 0, outliving = false }: { port?: number; outliving?: boolean } = {}): Promise<SqsSns> {
  await takeAllCharacters()
  const stores = await openStores()
  deliverAsAllowed(stores)
  const app = buildApp({ logger: false, stores })
  app.addHook('onRequest', async (request, reply) => {
    const why = whyTurnedAway(request.headers)
    return why === undefined
      ? undefined
      : reply
          .status(403)
          .header('content-type', 'application/json')
          .send(JSON.stringify(turnedAway(why)))
  })
  addressQueues(app)
  refuseWhatAwsRefuses(app)
  holdLongPolls(app, outliving)
  // After it: handles are signed in what a poll answers in the end.
  refuseOfSqs(app, stores.sqsStore)
  deduplicateByGroup(app, stores.sqsStore)
  // fauxqs' own start function binds every interface.
  const endpoint = await app.listen({ host: '127.0.0.1', port })
  return { endpoint, close: () => app.close() }
}
