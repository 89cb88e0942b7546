import { parseArgs } from 'node:util'
import { type Config, environment, readConfig } from '../../actors/kernel/config/config.ts'
import { errorMessage } from '../../actors/kernel/ports/errors/error-message.ts'
import { isAlive } from '../../actors/kernel/process/alive.ts'
import { mesh } from '../../contracts/mesh.ts'
import { runProvision } from '../provision/main.ts'
import { readMeshFile } from './mesh-file.ts'

/*
 * `npm run provision`: puts back what is missing of tables, queues, topics and subscriptions. Of the engines that the environment names; where it names none, of
 * the mesh that runs in `.data`, or in `--data DIR`. Nothing that is right is touched, and no message with it.
 */
const DEFAULT_DATA = '.data'
const NAMING = [
  'AWS_REGION',
  'AWS_PROFILE',
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_SQS',
  'AWS_ENDPOINT_URL_SNS',
  'AWS_ENDPOINT_URL_DYNAMODB',
]

/** @throws when no mesh runs in the directory that was asked for */
const findEngines = async (data: string | undefined): Promise<Config> => {
  const named = environment({})
  const directory = data ?? (NAMING.some(name => named[name]) ? undefined : DEFAULT_DATA)
  const file = directory === undefined ? undefined : await readMeshFile(directory)
  if (file && isAlive(file.pid)) {
    process.stdout.write(`The mesh in ${directory}, process ${file.pid}\n`)
    return readConfig(environment({ EMBEDDED: 'true', ...file.config }), mesh)
  }
  if (data !== undefined) throw new Error(`no mesh runs in ${data}`)
  return readConfig(environment({}), mesh)
}

try {
  const { values } = parseArgs({ options: { data: { type: 'string' } } })
  await runProvision(await findEngines(values.data))
} catch (error) {
  process.stderr.write(`${errorMessage(error)}\n`)
  process.exitCode = 1
}
