import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Jwks } from 'aws-jwt-verify/jwk'
import { ownModule } from '../module.ts'
import type { ChildConfig, CodeMessage, FromChild, PostConfirmationEvent, ToChild } from './ipc.ts'

const FIRST_DELAY_MS = 50
const MAX_DELAY_MS = 2_000
const STOP_MS = 2_000

export type Supervised = { port: number; jwks: Jwks; pid(): number | undefined; trouble(): string | undefined; close(): Promise<void> }

/**
 * Runs the child, starts it again on the same port whenever it ends, and answers its events with `onConfirmed`, and passes on the codes that nobody mails.
 * Rejects when the first start fails; later ones are repeated, and told to `warn`.
 */
export async function superviseChild(
  config: ChildConfig,
  onConfirmed: (event: PostConfirmationEvent) => Promise<void>,
  onCode: (message: CodeMessage) => void,
  warn: (text: string) => void,
): Promise<Supervised> {
  let child: ChildProcess | undefined
  let closing = false
  let retry: NodeJS.Timeout | undefined
  let storage: string | undefined

  const heard = (why: string | undefined): void => {
    storage = why
    warn(why ?? 'the users of Cognito are kept again')
  }
  const launch = (port: number): Promise<{ port: number; jwks: Jwks }> =>
    new Promise((resolve, reject) => {
      const started = spawnChild({ ...config, port })
      let ready = false
      child = started
      started.on('message', (message: FromChild) => {
        if (message.kind === 'confirmed') return void answer(started, message.id, () => onConfirmed(message.event))
        if (message.kind === 'code') return onCode(message.message)
        if (message.kind === 'storage') return heard(message.why)
        if (message.kind === 'failed') return reject(Object.assign(new Error(`Cognito: ${message.message}`), { code: message.code }))
        ready = true
        storage = undefined
        resolve(message)
        started.once('exit', (code, signal) => restart(message.port, `ended with ${signal ?? `code ${code}`}`))
      })
      started.once('error', reject)
      started.once('exit', (code, signal) => {
        if (!ready) reject(new Error(`Cognito ended with ${signal ?? `code ${code}`} before it listened`))
      })
    })

  const restart = (port: number, why: string, delay = FIRST_DELAY_MS): void => {
    if (closing) return
    warn(`the embedded Cognito ${why}; starting it again on port ${port}`)
    const again = () =>
      launch(port).catch((error: Error) => restart(port, `did not start: ${error.message}`, Math.min(delay * 2, MAX_DELAY_MS)))
    retry = setTimeout(again, delay)
  }

  const { port, jwks } = await launch(config.port)
  return {
    port,
    jwks,
    pid: () => child?.pid,
    trouble: () =>
      storage ?? (child?.exitCode === null && child.signalCode === null ? undefined : 'the embedded Cognito is being started again'),
    async close() {
      closing = true
      clearTimeout(retry)
      if (child !== undefined) await end(child)
    },
  }
}

/** A session of its own, so that a terminal's Ctrl-C reaches it through us only, and nothing of our environment. */
function spawnChild(config: ChildConfig): ChildProcess {
  const { script, execArgv } = ownModule('./child', import.meta.url)
  return fork(script, [JSON.stringify(config)], {
    cwd: config.dataDir,
    detached: true,
    env: {},
    execArgv,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
}

async function answer(child: ChildProcess, id: number, handle: () => Promise<void>): Promise<void> {
  const message: ToChild = { kind: 'handled', id }
  try {
    await handle()
  } catch (thrown) {
    message.error = thrown instanceof Error ? thrown.message : String(thrown)
  }
  // The child may have ended meanwhile; whoever signed up got no answer and asks again.
  if (child.connected) child.send(message, () => {})
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  if (child.connected) child.disconnect()
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await exit
  clearTimeout(kill)
}
