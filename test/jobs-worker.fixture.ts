import { bullmqJobs } from '../actors/kernel/ports/jobs/bullmq.ts'

/*
 * A process that begins every job of a queue and ends none, to be killed: `<url> <prefix> <queue> <lock in ms>`. Prints the id of each job that it begins.
 */
const [, , url = '', prefix = '', queue = '', lockMs = ''] = process.argv
bullmqJobs({ url, prefix, lockMs: Number(lockMs) }).work(queue, { concurrency: 1 }, ({ id }) => {
  process.stdout.write(`${id}\n`)
  return new Promise(() => {})
})
