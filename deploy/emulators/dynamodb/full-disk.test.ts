import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { CreateTableCommand, type DynamoDBClient, ListTablesCommand, PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb'
import { afterEach, expect, test, vi } from 'vitest'
import { ownModule } from '../module.ts'
import { smallDisk } from '../small-disk.fixture.ts'
import { connect, key, s, tableOf } from './conformance/subject.ts'
import { startDynamoDb } from './server.ts'

vi.setConfig({ testTimeout: 120_000 })
const deadline = { timeout: 30_000, interval: 10 }
const TABLE = 'full'
const WRITERS = 4

const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (let one = undo.pop(); one; one = undo.pop()) await one()
})

const open = (endpoint: string): DynamoDBClient => {
  const client = connect(endpoint)
  undo.push(async () => client.destroy())
  return client
}

const spawnServer = async (folder: string): Promise<{ child: ChildProcess; client: DynamoDBClient }> => {
  const { script, execArgv } = ownModule('./kill.fixture', import.meta.url)
  // A file that may not grow is an error of the write, not the process's end.
  const child = spawn('/bin/sh', ['-c', `trap '' XFSZ; exec "$@"`, 'server', process.execPath, ...execArgv, script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  undo.push(async () => child.kill('SIGKILL'))
  for await (const line of createInterface({ input: child.stdout })) return { child, client: open(line) }
  throw new Error('the server ended before it listened')
}

const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

/** Writes without a pause until told to stop, and remembers what was acknowledged and what came back instead. */
const writeOn = (client: DynamoDBClient, acknowledged: Set<string>) => {
  let serial = acknowledged.size * 10
  let going = true
  const refusals: unknown[] = []
  const write = async (): Promise<void> => {
    while (going) {
      const id = `item-${serial++}`
      await client.send(new PutItemCommand({ TableName: TABLE, Item: { ...key(id, 'a'), text: s('x'.repeat(300)) } })).then(
        () => acknowledged.add(id),
        error => refusals.push(error),
      )
    }
  }
  const writers = Array.from({ length: WRITERS }, write)
  return {
    refusals,
    more: async (count: number) => {
      const before = acknowledged.size
      await vi.waitFor(() => expect(acknowledged.size).toBeGreaterThan(before + count), deadline)
    },
    refused: async () => {
      const before = refusals.length
      await vi.waitFor(() => expect(refusals.length).toBeGreaterThan(before + WRITERS), deadline)
    },
    stop: async () => {
      going = false
      await Promise.all(writers)
    },
  }
}

const stored = async (client: DynamoDBClient): Promise<Set<string | undefined>> => {
  const found = new Set<string | undefined>()
  for await (const { Items = [] } of paginateScan({ client }, { TableName: TABLE, ConsistentRead: true }))
    for (const item of Items) found.add(item.pk?.S)
  return found
}
const missing = async (client: DynamoDBClient, acknowledged: Set<string>): Promise<string[]> => {
  const found = await stored(client)
  return [...acknowledged].filter(id => !found.has(id))
}

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'full, room again, full again, room again, %s: nothing that was acknowledged is missing',
  async signal => {
    const disk = await smallDisk(8 * 1024 * 1024)
    // Where nothing may be mounted, the next test stands for it.
    if (!disk) return expect(await lostBehindLimit(signal)).toEqual([])
    undo.push(disk.unmount)
    const folder = join(disk.path, 'dynamodb')
    const { child, client } = await spawnServer(folder)
    await client.send(new CreateTableCommand(tableOf(TABLE)))
    const acknowledged = new Set<string>()
    const writing = writeOn(client, acknowledged)
    for (const _ of ['once', 'twice']) {
      await writing.more(30)
      await disk.fill()
      await writing.refused()
      // What is there can still be read.
      expect(await missing(client, acknowledged)).toEqual([])
      await disk.free()
      await writing.more(60)
    }
    await end(child, signal)
    await writing.stop()
    const next = await spawnServer(folder)
    expect(await missing(next.client, acknowledged)).toEqual([])
    await end(next.child, 'SIGTERM')
  },
)

/** The system does not let a file grow past a limit that comes and goes. @returns what was acknowledged and is missing */
const lostBehindLimit = async (signal: NodeJS.Signals): Promise<string[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'dynamodb-limit-'))
  undo.push(() => rm(folder, { recursive: true, force: true }))
  const { child, client } = await spawnServer(folder)
  const limit = (bytes: string) => once(spawn('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:`]), 'exit')
  await client.send(new CreateTableCommand(tableOf(TABLE)))
  const acknowledged = new Set<string>()
  const writing = writeOn(client, acknowledged)
  for (const _ of ['once', 'twice']) {
    await writing.more(60)
    await limit('20001')
    await writing.refused()
    await limit('unlimited')
    await writing.more(60)
  }
  await end(child, signal)
  await writing.stop()
  const next = await spawnServer(folder)
  const lost = await missing(next.client, acknowledged)
  await end(next.child, 'SIGTERM')
  return lost
}

test('a log that the system does not let grow is not appended to again', async () => {
  expect(await lostBehindLimit('SIGKILL')).toEqual([])
})

const startIn = async (folder: string) => {
  const said: string[] = []
  const server = await startDynamoDb({ path: folder, warn: text => said.push(text) })
  undo.push(server.close)
  const client = open(server.endpoint)
  await client.send(new CreateTableCommand(tableOf(TABLE)))
  return { server, client, said }
}

const take: [string, (folder: string) => Promise<unknown>][] = [
  ['removed', folder => rm(folder, { recursive: true })],
  ['moved away', folder => rename(folder, `${folder}-elsewhere`)],
  [
    'replaced by an empty one',
    async folder => {
      await rm(folder, { recursive: true })
      await mkdir(folder)
    },
  ],
  ['taken with the folder above it', folder => rm(join(folder, '..'), { recursive: true })],
]

test.each(take)('under writers, a folder that is %s: nothing more is acknowledged, and it is said what to do', async (_how, remove) => {
  const parent = await mkdtemp(join(tmpdir(), 'dynamodb-gone-'))
  undo.push(() => rm(parent, { recursive: true, force: true }))
  const folder = join(parent, 'data', 'dynamodb')
  const { server, client, said } = await startIn(folder)
  const acknowledged = new Set<string>()
  const writing = writeOn(client, acknowledged)
  await writing.more(20)
  await remove(folder)
  const before = acknowledged.size
  await writing.refused()
  await writing.stop()
  // Those whose answers were under way.
  expect(acknowledged.size).toBeLessThanOrEqual(before + WRITERS)
  await expect(client.send(new ListTablesCommand())).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } })
  expect(server.trouble()).toContain(folder)
  expect(said.filter(text => text.includes('stop the mesh and start it again'))).toHaveLength(1)
})

test('a folder that nobody writes to is missed as well, and known when it is back', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'dynamodb-gone-'))
  undo.push(() => rm(parent, { recursive: true, force: true }))
  const folder = join(parent, 'dynamodb')
  const { server, client } = await startIn(folder)
  await client.send(new PutItemCommand({ TableName: TABLE, Item: key('before', 'a') }))
  await rename(folder, `${folder}-elsewhere`)
  await vi.waitFor(() => expect(server.trouble()).toContain(folder), deadline)
  await rename(`${folder}-elsewhere`, folder)
  await vi.waitFor(() => expect(server.trouble()).toBeUndefined(), deadline)
  await client.send(new PutItemCommand({ TableName: TABLE, Item: key('after', 'a') }))
  expect(await stored(client)).toEqual(new Set(['before', 'after']))
})
