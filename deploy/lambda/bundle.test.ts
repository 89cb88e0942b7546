import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reader } from '../../actors/kernel/authoring/reader.ts'
import { environment, readConfig } from '../../actors/kernel/config/config.ts'
import type { Delivery } from '../../actors/kernel/ports/mailbox/port.ts'
import { mesh } from '../../contracts/mesh.ts'
import { user } from '../../contracts/users.ts'
import { type Provisioned, startProvisioned } from '../embedded/provisioned.ts'
import { type Bundle, bundleFunctions } from './bundle.ts'

const ANN = 'aaaaaaaa-0000-4000-8000-000000000000'
const run = promisify(execFile)
/** As Lambda does: a process that imports the file, and hands it an event. */
const INVOKE = `
const [file, event] = process.argv.slice(1)
const { handler } = await import(file)
const answer = await handler(JSON.parse(event), { getRemainingTimeInMillis: () => 20_000 })
process.stdout.write('\\n' + JSON.stringify(answer), () => process.exit(0))`

let folder: string
let engines: Provisioned
let bundles: readonly Bundle[]
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dailygrind-lambda-'))
  const settings = { EMBEDDED: 'true', LOG_LEVEL: 'warn' }
  ;[bundles, engines] = await Promise.all([
    bundleFunctions(join(folder, 'functions')),
    startProvisioned({ config: readConfig(environment(settings), mesh), settings, data: folder, log: pino({ level: 'silent' }) }),
  ])
}, 120_000)
afterAll(async () => {
  await engines?.close()
  await rm(folder, { recursive: true, force: true })
})

const invoke = async (name: string, event: unknown, over: Readonly<Record<string, string>> = {}): Promise<unknown> => {
  const bundle = bundles.find(b => b.name === name)
  if (!bundle) throw new Error(`no bundle ${name}`)
  const { stdout } = await run(
    process.execPath,
    ['--input-type=module', '-e', INVOKE, pathToFileURL(bundle.file).href, JSON.stringify(event)],
    // Away from our node_modules: a bundle brings all that it needs.
    { cwd: folder, env: { ...environment({ LOG_LEVEL: 'warn', ...engines.settings, ...over }) }, timeout: 30_000 },
  )
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n')))
}
const received = (queue: string) =>
  new Promise<Delivery>(resolve => {
    const consumer = engines.opened.ports.mailbox.consume(queue, { pollers: 1, visibility: 30 }, async ([first]) => {
      if (!first) return
      resolve(first)
      void consumer.stop()
    })
  })

describe('a bundle of a function runs by itself', () => {
  test('there is one an actor, and the trigger of the user pool', () => {
    expect(bundles.map(b => b.name)).toEqual([...mesh.actors.map(a => a.name), 'post-confirmation'])
    for (const { bytes } of bundles) expect(bytes).toBeGreaterThan(100_000)
  })

  test('who signs up is told to users, who takes it', async () => {
    const event = {
      triggerSource: 'PostConfirmation_ConfirmSignUp',
      userName: ANN,
      request: { userAttributes: { sub: ANN, email: 'ann@example.org' } },
      response: {},
    }
    expect(await invoke('post-confirmation', event)).toEqual(event)
    const delivery = await received('users.fifo')
    const record = {
      messageId: 'sqs-1',
      body: delivery.body,
      attributes: {
        ApproximateReceiveCount: String(delivery.receives),
        SentTimestamp: String(delivery.sentAt),
        MessageGroupId: delivery.group,
        MessageDeduplicationId: delivery.id,
      },
      messageAttributes: {},
      eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${engines.config.PREFIX}users.fifo`,
    }
    expect(await invoke('users', { Records: [record] })).toEqual({ batchItemFailures: [] })
    expect(await reader(engines.opened.ports.store).get(user.at({ userId: ANN }))).toEqual({
      status: 'registered',
      userId: ANN,
      email: 'ann@example.org',
    })
  }, 60_000)

  test.each(mesh.actors.map(a => a.name))('%s starts, and refuses what is no event of its queues', async name => {
    const record = {
      messageId: 'sqs-1',
      body: '{',
      attributes: { ApproximateReceiveCount: '1', SentTimestamp: '0' },
      eventSourceARN: 'arn:x:other',
    }
    await expect(invoke(name, { Records: [record] })).rejects.toThrow('is no queue of this deployment')
  })
  test('an actor with background jobs refuses to run where it would be frozen', async () => {
    const vapid = { VAPID_PUBLIC_KEY: 'public', VAPID_PRIVATE_KEY: 'private', VAPID_SUBJECT: 'mailto:us@example.org' }
    await expect(invoke('push', { Records: [] }, vapid)).rejects.toThrow('push has background jobs')
  })
})
