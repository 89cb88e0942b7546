import type { Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { Logger } from 'pino'
import { Consumer as PollingLoop } from 'sqs-consumer'
import { backOffMs } from '../clock/back-off.ts'
import { deadline } from '../clock/deadline.ts'
import { type Deferred, deferred } from '../clock/deferred.ts'
import type { Clock } from '../clock/port.ts'
import { errorMessage } from '../errors/error-message.ts'
import type { ConsumeOptions, Consumer } from './port.ts'

export type SqsConsumerOptions = ConsumeOptions & {
  readonly queue: string
  readonly url: () => Promise<string>
  readonly polling: SQSClient
  readonly clock: Clock
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'> | undefined
  /** How long stopping waits for polls under way (ms) before it cuts them. */
  readonly stopMs: number
  readonly waitSeconds: number
  readonly handler: (messages: readonly Message[]) => Promise<void>
}

const POLL_BACK_OFF = { firstMs: 100, maxMs: 5_000 }

/**
 * Polls a queue with so many of sqs-consumer's loops. The library only polls and hands over: it deletes nothing and keeps nothing hidden.
 *
 * Stopping: no poll begins any more, those under way may take `stopMs` to come back, and what they bring is handed over. What is left is cut then. On AWS a
 * poll that is cut goes on without us, for the rest of its 20 s, and what comes to it is hidden from everybody until its visibility ends: there `stopMs` is
 * to be longer than a poll. The embedded queues forget a poll whose client is gone, so that a Ctrl-C need not wait.
 */
export const sqsConsumer = (options: SqsConsumerOptions): Consumer => {
  const { queue, clock, log } = options
  const stopping = new AbortController()
  let failing: { readonly since: number; readonly began: number; readonly message: string } | null = null

  const failed = (error: unknown) => {
    const message = errorMessage(error)
    if (!failing) log?.warn({ err: error, queue }, 'a queue cannot be polled; trying on')
    failing = { since: failing?.since ?? clock.now(), began: failing?.began ?? clock.elapsed(), message }
  }
  const fine = () => {
    if (failing) log?.info({ queue, ms: clock.elapsed() - failing.began }, 'a queue can be polled again')
    failing = null
  }
  const backOff = (failures: number) => clock.sleep(backOffMs(failures, POLL_BACK_OFF), stopping.signal)

  const start = async (): Promise<readonly (() => Promise<void>)[]> => {
    for (let failures = 1; !stopping.signal.aborted; failures++) {
      try {
        const url = await options.url()
        return stopping.signal.aborted
          ? []
          : Array.from({ length: options.pollers }, () => poller({ ...options, backOff, stopping, failed, fine }, url))
      } catch (error) {
        failed(error)
        await backOff(failures).catch(() => {})
      }
    }
    return []
  }
  const started = start()
  let stopped: Promise<void> | undefined

  return {
    stop: () => {
      stopping.abort(new Error(`${queue} is polled no more`))
      stopped ??= started.then(async stops => void (await Promise.all(stops.map(stop => stop()))))
      return stopped
    },
    health: () =>
      failing === null
        ? { ok: true, error: null }
        : { ok: false, error: `${queue} cannot be polled since ${new Date(failing.since).toISOString()}: ${failing.message}` },
  }
}

type PollerContext = SqsConsumerOptions & {
  readonly stopping: AbortController
  readonly backOff: (failures: number) => Promise<void>
  readonly failed: (error: unknown) => void
  readonly fine: () => void
}

/** One polling loop. Returns what stops it. */
const poller = (context: PollerContext, queueUrl: string): (() => Promise<void>) => {
  const { queue, log, clock, stopMs, waitSeconds, stopping, backOff, failed, fine } = context
  let failures = 0
  let poll: Deferred<void> | undefined

  const cut = new AbortController()
  // The library's own signal ends the poll at once or never; this one, after a while.
  const polling: SQSClient = Object.create(context.polling, {
    send: { value: (command: ReceiveMessageCommand) => context.polling.send(command, { abortSignal: cut.signal }) },
  })
  const loop = PollingLoop.create({
    queueUrl,
    sqs: polling,
    batchSize: 10,
    waitTimeSeconds: waitSeconds,
    visibilityTimeout: context.visibility,
    messageAttributeNames: ['All'],
    messageSystemAttributeNames: ['MessageGroupId', 'MessageDeduplicationId', 'ApproximateReceiveCount', 'SentTimestamp'],
    shouldDeleteMessages: false,
    suppressFifoWarning: true,
    // Its pause after refusals (10 s) and its look once a second whether stopping is over are ours to do, faster.
    authenticationErrorTimeout: 0,
    pollingCompleteWaitTimeMs: 0,
    preReceiveMessageCallback: async () => {
      if (failures > 0) await backOff(failures)
      await context.ready?.()
      stopping.signal.throwIfAborted()
      poll = deferred()
    },
    handleMessageBatch: async messages => {
      await context.handler(messages)
      // Nothing for the library to acknowledge.
      return []
    },
  })
  const answered = () => {
    if (failures > 0) loop.updateOption('waitTimeSeconds', waitSeconds)
    failures = 0
    fine()
    poll?.resolve()
  }
  loop.on('empty', answered)
  loop.on('response_processed', answered)
  // Without a listener an error would be thrown into the loop.
  loop.on('error', (error, messages) => {
    // The handler's, and the answer was a good one: what it left comes back after its visibility.
    if (messages) return void log?.error({ err: error, queue }, 'a receive could not be handed on')
    if (!stopping.signal.aborted) {
      failures++
      // So that the first good answer is not 20 s away when the queue is idle.
      loop.updateOption('waitTimeSeconds', Math.min(1, waitSeconds))
      failed(error)
    }
    poll?.resolve()
  })
  loop.start()

  return async () => {
    loop.stop()
    if (!poll) return
    await deadline(clock, stopMs).race(poll.promise, () => undefined)
    cut.abort()
    await poll.promise
  }
}
