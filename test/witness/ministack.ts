import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { environment } from '../../actors/kernel/config/config.ts'
import { freePort } from '../../actors/kernel/process/free-port.ts'

const REQUIREMENTS = fileURLToPath(new URL('./requirements.txt', import.meta.url))
const READY_WITHIN_MS = 60_000
const INSTALLED_WITHIN_MS = 300_000

export type MiniStack = {
  /** The environment of a process that talks to it: the address, and keys of an IAM user. */
  readonly settings: Readonly<Record<string, string>>
  readonly pid: number
  /** For files of this run; it goes with the rest. */
  readonly directory: string
  /** Ends it and removes all that it and its installation wrote. */
  readonly close: () => void
}

/** Installs the pinned packages into an environment of their own; every file is held to its hash. */
const install = async (python: string, directory: string, signal: AbortSignal): Promise<string> => {
  const run = promisify(execFile)
  const venv = join(directory, 'venv')
  const bounds = { timeout: INSTALLED_WITHIN_MS, killSignal: 'SIGKILL', signal } as const
  await run(python, ['-m', 'venv', venv], bounds)
  const options = ['--quiet', '--disable-pip-version-check', '--no-input', '--require-hashes', '--only-binary=:all:', '-r', REQUIREMENTS]
  await run(join(venv, 'bin', 'python'), ['-m', 'pip', 'install', ...options], bounds)
  return join(venv, 'bin', 'ministack')
}

const untilReady = async (endpoint: string, child: ChildProcess, printed: () => string): Promise<void> => {
  const until = performance.now() + READY_WITHIN_MS
  for (;;) {
    const answer = await fetch(`${endpoint}/_ministack/health`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return
    if (child.exitCode !== null || performance.now() > until) throw new Error(`MiniStack does not answer at ${endpoint}:\n${printed()}`)
    await pause(50)
  }
}

const POLICY = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['dynamodb:*', 'sqs:*', 'sns:*'], Resource: '*' }] }

/** Asks IAM. The key `test` is the account's owner; no signature of it is looked at. */
const askIam = async (endpoint: string, Action: string, more: Readonly<Record<string, string>> = {}): Promise<string> => {
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const authorization = `AWS4-HMAC-SHA256 Credential=test/${now.slice(0, 8)}/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`
  const body = new URLSearchParams({ Action, Version: '2010-05-08', UserName: 'mesh', ...more })
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: { authorization, 'x-amz-date': now },
    body,
    signal: AbortSignal.timeout(10_000),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`MiniStack's IAM refuses ${Action}: ${text}`)
  return text
}

/** An IAM user with what the mesh may do. Its signatures are checked, for MiniStack knows its secret. */
const makeUser = async (endpoint: string) => {
  await askIam(endpoint, 'CreateUser')
  await askIam(endpoint, 'PutUserPolicy', { PolicyName: 'mesh', PolicyDocument: JSON.stringify(POLICY) })
  const answer = await askIam(endpoint, 'CreateAccessKey')
  const [, id] = /<AccessKeyId>(.+?)</.exec(answer) ?? []
  const [, secret] = /<SecretAccessKey>(.+?)</.exec(answer) ?? []
  if (id === undefined || secret === undefined) throw new Error('MiniStack made no key')
  return { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret }
}

/**
 * Installs MiniStack and starts it on a free port of 127.0.0.1, with a user whose signatures it checks.
 * @param python 3.10 or later
 * @throws when a package is not the one of the hash, or it does not start; nothing is left behind then, nor when this process ends
 */
export const startMiniStack = async (python: string): Promise<MiniStack> => {
  const directory = await mkdtemp(join(tmpdir(), 'witness-'))
  let child: ChildProcess | undefined
  const installing = new AbortController()
  const close = () => {
    process.off('exit', close)
    installing.abort()
    child?.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  process.once('exit', close)
  try {
    const program = await install(python, directory, installing.signal)
    const port = await freePort()
    const endpoint = `http://127.0.0.1:${port}`
    const env = environment({
      AUTH: 'true',
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      STATE_DIR: join(directory, 'state'),
      S3_DATA_DIR: join(directory, 's3'),
      TMPDIR: directory,
    })
    child = spawn(program, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let printed = ''
    for (const output of [child.stdout, child.stderr])
      output?.on('data', (text: Buffer) => {
        printed = (printed + text.toString()).slice(-4_000)
      })
    await untilReady(endpoint, child, () => printed)
    const keys = await makeUser(endpoint)
    return { settings: { AWS_ENDPOINT_URL: endpoint, AWS_REGION: 'us-east-1', ...keys }, pid: child.pid ?? 0, directory, close }
  } catch (error) {
    close()
    throw error
  }
}
