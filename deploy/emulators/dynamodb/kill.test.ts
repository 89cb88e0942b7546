import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { CreateTableCommand, type DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { afterEach, expect, test } from 'vitest'
import { sampled } from '../../../test/whole.ts'
import { ownModule } from '../module.ts'
import { add, connect, get, type Item, key, n, put, queryIndex, type Subject, s, tableOf, transact } from './conformance/subject.ts'

const ROUNDS = sampled(5, 3)
const AUTHORS = 3
const running = new Set<ChildProcess>()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
})

async function spawnServer(folder: string): Promise<{ child: ChildProcess; client: DynamoDBClient }> {
  const { script, execArgv } = ownModule('./kill.fixture', import.meta.url)
  const child = spawn(process.execPath, [...execArgv, script, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  running.add(child)
  child.once('exit', () => running.delete(child))
  for await (const line of createInterface({ input: child.stdout })) return { child, client: connect(line) }
  throw new Error('the server ended before it listened')
}

/** Writes until the server is gone. `acknowledged` gets the numbers of the transactions, and of the posts, that were answered. */
async function writeUntilKilled(t: Subject, from: number, acknowledged: { pairs: number[]; posts: Map<string, number> }): Promise<void> {
  const pair = async (i: number) => {
    await transact(t, [
      put(t, key(`pair-${i}`, 'left')),
      put(t, key(`pair-${i}`, 'right')),
      add(t, key('count', 'left'), 1),
      add(t, key('count', 'right'), 1),
    ])
    acknowledged.pairs.push(i)
  }
  // One item over and over, moving through the index: an item and its entries must not part.
  const move = async (sk: string, i: number) => {
    const Item = { ...key('posts', sk), author: s(`author-${i % AUTHORS}`), posted: n(i), kind: s('short') }
    await t.client.send(new PutItemCommand({ TableName: t.table, Item }))
    acknowledged.posts.set(sk, i)
  }
  const untilGone = async (write: (i: number) => Promise<void>, first: number, step: number) => {
    for (let i = first; ; i += step) {
      const gone = await write(i).then(
        () => false,
        () => true,
      )
      if (gone) return
    }
  }
  const writers = 4
  await Promise.all(
    Array.from({ length: writers }, (_, w) => [
      untilGone(pair, from + w, writers),
      untilGone(i => move(`${w}`, i), from + w, writers),
    ]).flat(),
  )
}

test('kill -9 under load tears no transaction, parts no item from its index entries, and loses nothing that was answered', {
  timeout: 120_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dynamodb-kill-'))
  const acknowledged = { pairs: [] as number[], posts: new Map<string, number>() }
  for (let round = 0; round <= ROUNDS; round++) {
    const { child, client } = await spawnServer(folder)
    const t: Subject = { engine: 'embedded', client, table: 'kill' }
    if (round === 0) await client.send(new CreateTableCommand(tableOf(t.table)))
    else await verify(t, acknowledged)
    if (round === ROUNDS) {
      child.kill('SIGKILL')
      break
    }
    const before = acknowledged.pairs.length
    const writing = writeUntilKilled(t, (round + 1) * 1_000_000, acknowledged)
    await expect.poll(() => acknowledged.pairs.length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(before + 40 + round * 13)
    child.kill('SIGKILL')
    await Promise.all([once(child, 'exit'), writing])
    client.destroy()
  }
  await rm(folder, { recursive: true, force: true })
})

async function verify(t: Subject, { pairs, posts }: { pairs: number[]; posts: Map<string, number> }): Promise<void> {
  const { Items = [] } = await t.client.send(new ScanCommand({ TableName: t.table }))
  const sides = (side: string) => Items.filter(item => item.pk?.S?.startsWith('pair-') && item.sk?.S === side).map(item => item.pk?.S)
  const [left, right] = [sides('left'), sides('right')]
  expect(left.toSorted()).toEqual(right.toSorted())
  expect(left).toEqual(expect.arrayContaining(pairs.map(i => `pair-${i}`)))
  // As many transactions as left their pair, and both counters say so.
  for (const side of ['left', 'right']) expect(await get(t, key('count', side))).toEqual({ ...key('count', side), n: n(left.length) })

  const stored = Items.filter(item => item.pk?.S === 'posts')
  for (const [sk, i] of posts) expect(Number(stored.find(item => item.sk?.S === sk)?.posted?.N)).toBeGreaterThanOrEqual(i)
  const authors = Array.from({ length: AUTHORS }, (_, i) => queryIndex(t, 'by-author', 'author', `author-${i}`))
  expect(bySk((await Promise.all(authors)).flat())).toEqual(bySk(stored))
  expect(await queryIndex(t, 'by-kind', 'kind', 'short')).toHaveLength(stored.length)
}

const bySk = (items: Item[]) => items.toSorted((a, b) => String(a.sk?.S).localeCompare(String(b.sk?.S)))
