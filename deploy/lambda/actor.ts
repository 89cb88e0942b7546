import { pino } from 'pino'
import { Registry } from 'prom-client'
import { actorOf } from '../../actors/catalog.ts'
import { environment, readConfig, silenceNodeNotice } from '../../actors/kernel/config/config.ts'
import { failpoints } from '../../actors/kernel/process/failpoints.ts'
import { metrics } from '../../actors/kernel/process/metrics.ts'
import { openPorts } from '../../actors/kernel/process/open-ports.ts'
import { lambdaHandler } from '../../actors/kernel/worker/lambda.ts'
import { type ActorName, mesh } from '../../contracts/mesh.ts'
import { once } from './once.ts'

/**
 * An actor as a Lambda function: both of its queues, on the engines that the environment names, opened with the first event and kept while it is warm.
 * It throws, and Lambda keeps every message, where the environment gives the actor background jobs: a frozen process would do none of them.
 */
export const actorFunction = (name: ActorName): ReturnType<typeof lambdaHandler> => {
  silenceNodeNotice()
  const opened = once(async () => {
    const config = readConfig(environment({}), mesh)
    const code = actorOf(name, config)
    if (code.jobs.length > 0) throw new Error(`${name} has background jobs, for which a process must stay: run it as a worker`)
    const log = pino({ base: { name }, level: config.LOG_LEVEL })
    const { ports } = await openPorts(mesh, config, log)
    const { CONCURRENCY: concurrency, PREFIX: prefix } = config
    const failpoint = failpoints(config.FAILPOINTS, ms => ports.clock.sleep(ms))
    return lambdaHandler({ mesh, code, ports, concurrency, prefix, log, metrics: metrics(mesh, new Registry()), failpoint })
  })
  return async (event, invocation) => (await opened())(event, invocation)
}
