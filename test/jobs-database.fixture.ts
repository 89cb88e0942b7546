import { startPostgres } from '../deploy/embedded/postgres.ts'

/*
 * The embedded database of jobs in a process that can be killed: `<directory> <port>`. Prints its address.
 */
const [, , path = '', port = '0'] = process.argv
const { url } = await startPostgres({ path, port: Number(port), waiting: 'dailygrind-jobs-worker', warn: () => {} })
process.stdout.write(`${url}\n`)
