import { pino } from 'pino'
import { Registry } from 'prom-client'
import type { ActorCode } from '../../actors/kernel/code.ts'
import { readConfig, silenceNodeNotice } from '../../actors/kernel/config.ts'
import { lambdaHandler } from '../../actors/kernel/lambda.ts'
import { metrics } from '../../actors/kernel/metrics.ts'
import { openPorts } from '../../actors/kernel/open.ts'
import { once } from './once.ts'

/** An actor as a Lambda function: both of its queues, on the engines that the environment names, opened with the first event and kept while it is warm. */
export const actorFunction = (code: ActorCode): ReturnType<typeof lambdaHandler> => {
  silenceNodeNotice()
  const opened = once(async () => {
    const config = readConfig()
    const log = pino({ base: { name: code.declaration.name }, level: config.LOG_LEVEL })
    const { ports } = await openPorts(config, log)
    const { CONCURRENCY: concurrency, PREFIX: prefix } = config
    return lambdaHandler({ code, ports, concurrency, prefix, log, metrics: metrics(new Registry()) })
  })
  return async (event, invocation) => (await opened())(event, invocation)
}
