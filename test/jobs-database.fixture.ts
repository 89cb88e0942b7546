import { LOOKING, WAITING } from '../actors/kernel/ports/jobs/engine.ts'
import { startPostgres } from '../deploy/emulators/postgres/start.ts'

/*
 * The embedded database of jobs in a process that can be killed: `<directory> <port>`. Prints its address.
 */
const [, , path = '', port = '0'] = process.argv
const { url } = await startPostgres({ path, port: Number(port), waiting: WAITING, looking: LOOKING, warn: () => {} })
process.stdout.write(`${url}\n`)
