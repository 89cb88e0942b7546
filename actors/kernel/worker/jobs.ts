import type { JobContext, JobQueue } from '../authoring/jobs.ts'
import { reader } from '../authoring/reader.ts'
import type { Outcome } from '../ports/jobs/port.ts'
import { commandId } from '../ports/mailbox/ids.ts'
import { ConditionLost } from '../ports/store/port.ts'
import type { HostContext } from './host.ts'
import { sendOwnCommand } from './own-commands.ts'

const commandSender =
  (host: HostContext): JobContext['sendCommand'] =>
  async ({ id: name, by, type, data }) => {
    const id = commandId(name)
    const at = new Date(host.ports.clock.now()).toISOString()
    await sendOwnCommand(host, { id, by, at, type, data, trace: { request: id, cause: null, traceparent: null } })
  }

/** What came of a job's try, as it is counted; `put-off` was none. */
const counted = (outcome: Outcome): string => {
  if (outcome === 'done') return 'done'
  if ('giveUp' in outcome) return 'given-up'
  return 'untried' in outcome ? 'put-off' : 'retry'
}

/** Starts an actor's jobs; what comes of each try is counted. */
export const startJobs = (jobs: JobQueue, host: HostContext) => {
  const { ports, log, metrics, random = Math.random } = host
  const { handle, close } = jobs.open({
    read: reader(ports.store),
    clock: ports.clock,
    random,
    log,
    metrics,
    sendCommand: commandSender(host),
    patchItem: async (ref, values) => {
      try {
        await ports.store.commit([{ set: ref.place, values }])
      } catch (error) {
        if (!(error instanceof ConditionLost)) throw error
      }
    },
  })
  const worker = ports.jobs.work(jobs.queue, jobs.options, async job => {
    const count = (outcome: string) => metrics.tried.inc({ queue: jobs.queue, outcome })
    try {
      const outcome = await handle(job)
      count(counted(outcome))
      return outcome
    } catch (err) {
      count('failed')
      log.warn({ err, queue: jobs.queue, job: job.id }, 'a job failed; it is tried again')
      throw err
    }
  })
  return {
    drain: async () => {
      await worker.stop()
      await close()
    },
    close: () => void close().catch(err => log.debug({ err }, 'what its jobs had opened was not closed cleanly')),
  }
}
