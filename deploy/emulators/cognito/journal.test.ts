import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openJournal } from './journal.ts'

const ctx = { logger: { child: () => ctx.logger, debug() {}, info() {}, warn() {}, error() {} } }

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dailygrind-test-'))
  file = join(folder, 'pool.jsonl')
})

afterEach(() => rm(folder, { recursive: true }))

async function reopened<T>(read: (journal: Awaited<ReturnType<typeof openJournal>>) => Promise<T>): Promise<T> {
  const journal = await openJournal(file, {})
  try {
    return await read(journal)
  } finally {
    await journal.close()
  }
}

test('starts with the defaults, and keeps what was set and deleted', async () => {
  const journal = await openJournal(file, { Users: {}, Options: { Id: 'p' } })
  expect(await journal.get(ctx, 'Users')).toEqual({})
  expect(await journal.get(ctx, ['Users', 'a'])).toBeNull()
  expect(await journal.get(ctx, 'Groups', { none: true })).toEqual({ none: true })
  await journal.set(ctx, ['Users', 'a'], { n: 1 })
  await journal.set(ctx, ['Users', 'b'], { n: 2, UserCreateDate: new Date(5) })
  await journal.set(ctx, ['Groups', 'g', 'members'], ['a'])
  await journal.delete(ctx, ['Users', 'a'])
  await journal.close()
  expect(await reopened(again => again.getRoot(ctx))).toEqual({
    Users: { b: { n: 2, UserCreateDate: new Date(5) } },
    Options: { Id: 'p' },
    Groups: { g: { members: ['a'] } },
  })
})

test('has every acknowledged change in the file, many at once too', async () => {
  const journal = await openJournal(file, { Users: {} })
  const names = Array.from({ length: 200 }, (_, n) => `user-${n}`)
  await Promise.all(names.map(name => journal.set(ctx, ['Users', name], { name })))
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
  expect(lines.filter(line => line.includes('user-'))).toHaveLength(200)
  await journal.close()
})

test('drops a last line that a kill tore, and goes on behind it', async () => {
  const journal = await openJournal(file, { Users: {} })
  await journal.set(ctx, ['Users', 'a'], { n: 1 })
  await journal.close()
  await appendFile(file, '{"key":["Users","b"],"value":{"n"')
  await reopened(again => again.set(ctx, ['Users', 'c'], { n: 3 }))
  expect(await reopened(again => again.get(ctx, 'Users'))).toEqual({ a: { n: 1 }, c: { n: 3 } })
})

test('refuses a file that is no journal, naming the line', async () => {
  await writeFile(file, '{"key":["Users"],"value":{}}\nnonsense\n{"key":["Users","a"],"value":1}\n')
  await expect(openJournal(file, {})).rejects.toThrow(`${file}:2 is not a journal entry`)
})

test('opening forgets what was overwritten, so that the file does not grow for ever', async () => {
  const journal = await openJournal(file, { Users: {} })
  for (let n = 0; n < 50; n++) await journal.set(ctx, ['Users', 'a'], { n })
  await journal.close()
  expect(await reopened(again => again.get(ctx, ['Users', 'a']))).toEqual({ n: 49 })
  expect((await readFile(file, 'utf8')).trimEnd().split('\n')).toHaveLength(2)
})

test('takes names of object properties for what they are: names', async () => {
  const journal = await openJournal(file, { Users: {} })
  expect(await journal.get(ctx, ['Users', '__proto__'])).toBeNull()
  expect(await journal.get(ctx, ['Users', 'constructor'])).toBeNull()
  await journal.set(ctx, ['Users', '__proto__'], { n: 1 })
  await journal.close()
  expect(await reopened(again => again.get(ctx, ['Users', '__proto__']))).toEqual({ n: 1 })
  expect(Object.hasOwn(Object.prototype, 'n')).toBe(false)
})
