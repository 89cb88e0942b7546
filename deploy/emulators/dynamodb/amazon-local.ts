import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../../actors/kernel/process/free-port.ts'

const EMULATOR = new URL('./amazon-local/node_modules/amplify-dynamodb-simulator/emulator/', import.meta.url)
const JAVA = 'java'
const STARTS_WITHIN_MS = 60_000

/** Where the jar and its libraries lie; undefined unless installed (amazon-local/README.md). */
function findDynamoDbLocal(): { jar: string; libs: string } | undefined {
  const jar = fileURLToPath(new URL('DynamoDBLocal.jar', EMULATOR))
  return existsSync(jar) ? { jar, libs: fileURLToPath(new URL('DynamoDBLocal_lib', EMULATOR)) } : undefined
}

export interface AmazonLocal {
  endpoint: string
  close(): Promise<void>
}

/**
 * Starts Amazon's DynamoDB Local on a free port, empty and in memory, for tests that compare with it.
 * @returns undefined, after saying so on the console, when there is no java or no jar
 * @throws when java ends or does not answer within a minute; the message has what it printed
 */
export async function startAmazonLocal(): Promise<AmazonLocal | undefined> {
  const found = findDynamoDbLocal()
  if (!found) return missing('its jar is not installed: see deploy/emulators/dynamodb/amazon-local/README.md')
  // The jar takes no port 0. Should another process be faster, then java ends, and says so.
  const port = await freePort()
  const options = [
    '-Xmx512m',
    `-Djava.library.path=${found.libs}`,
    '-jar',
    found.jar,
    '-inMemory',
    '-disableTelemetry',
    '-port',
    String(port),
  ]
  // It writes a metadata file into its working directory.
  const java = spawn(JAVA, options, { stdio: ['ignore', 'pipe', 'pipe'], cwd: tmpdir() })
  let printed = ''
  for (const output of [java.stdout, java.stderr])
    output.on('data', (text: Buffer) => (printed = (printed + text.toString()).slice(-4_000)))
  const ended = new Promise<string>(resolve => {
    java.once('error', error => resolve('code' in error && error.code === 'ENOENT' ? 'no java' : error.message))
    java.once('exit', (code, signal) => resolve(`java ended with ${signal ?? code}`))
  })
  // A test run that is stopped half-way leaves nothing behind.
  const kill = () => java.kill('SIGKILL')
  process.once('exit', kill)

  const endpoint = `http://127.0.0.1:${port}`
  const failed = await Promise.race([ended, answers(endpoint)])
  if (failed === 'no java') return missing('there is no java on the PATH')
  if (failed) {
    kill()
    throw new Error(`DynamoDB Local did not start: ${failed}\n${printed}`)
  }
  return {
    endpoint,
    async close() {
      kill()
      await ended
      process.off('exit', kill)
    },
  }
}

function missing(why: string): undefined {
  console.warn(`NOT compared with Amazon's DynamoDB Local: ${why}`)
}

/** Waits until something speaks HTTP there. @returns what is wrong when nothing does in time */
async function answers(endpoint: string): Promise<string | undefined> {
  const deadline = performance.now() + STARTS_WITHIN_MS
  while (performance.now() < deadline) {
    const up = await fetch(endpoint, { signal: AbortSignal.timeout(2_000) }).then(
      response => response.text().then(() => true),
      () => false,
    )
    if (up) return undefined
    await delay(50)
  }
  return `no answer within ${STARTS_WITHIN_MS / 1000} s`
}
