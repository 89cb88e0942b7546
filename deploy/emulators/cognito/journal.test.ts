import { appendFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { smallDisk } from '../small-disk.fixture.ts'
import { openJournal } from './journal.ts'
import { NotStored } from './journal-file.ts'

const ctx = { logger: { child: () => ctx.logger, debug() {}, info() {}, warn() {}, error() {} } }

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dailygrind-test-'))
  file = join(folder, 'pool.jsonl')
})

afterEach(() => rm(folder, { recursive: true }))

async function reopened<T>(read: (journal: Awaited<ReturnType<typeof openJournal>>) => Promise<T>): Promise<T> {
  const journal = await openJournal(file, {}, () => {})
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

const lineFor = (name: string) => `${JSON.stringify({ key: ['Users', name], value: { name, text: 'a "quoted" {"key":["Users","x"],' } })}\n`
const torn = lineFor('torn')

test.each([
  ['at the end', ['a', 'b'], (cut: string) => `${lineFor('a')}${lineFor('b')}${cut}`],
  ['in front of a line that was acknowledged', ['a', 'b'], (cut: string) => `${lineFor('a')}${cut}${lineFor('b')}`],
  ['several times', ['a', 'b', 'c'], (cut: string) => `${lineFor('a')}${cut}${cut}${lineFor('b')}${cut}\n${lineFor('c')}${cut}`],
  ['with zeros where the machine lost its power', ['a', 'b'], (cut: string) => `${lineFor('a')}\0\0\0${lineFor('b')}${cut}\0\0`],
])('cuts off what a failed write left, wherever it broke off: %s', async (_where, names, text) => {
  for (let length = 1; length < torn.length - 1; length++) {
    await writeFile(file, text(torn.slice(0, length)))
    const users = await reopened(again => again.get<object>(ctx, 'Users'))
    expect(Object.keys(users ?? {}), `torn after ${length} characters`).toEqual(names)
  }
})

test('what could not be written has not happened, and is not in the way of what comes next', async () => {
  const disk = await smallDisk(256 * 1024)
  if (!disk) return
  try {
    file = join(disk.path, 'pool.jsonl')
    const journal = await openJournal(file, { Users: {} })
    const write = (name: string) => journal.set(ctx, ['Users', name], { name, text: 'x'.repeat(5_000) })
    for (const round of ['first', 'second']) {
      await write(`${round}-before`)
      await disk.fill()
      const refused = await Promise.allSettled(['a', 'b', 'c'].map(name => write(`${round}-${name}`)))
      expect(refused.every(r => r.status === 'rejected' && r.reason instanceof NotStored)).toBe(true)
      expect(journal.trouble()).toContain('the disk is full')
      expect(await journal.get(ctx, ['Users', `${round}-a`])).toBeNull()
      await disk.free()
      await write(`${round}-after`)
      expect(journal.trouble()).toBeUndefined()
    }
    // As after a kill: nothing is closed.
    const again = await openJournal(file, {}, text => expect.fail(text))
    const users = Object.keys((await again.get<object>(ctx, 'Users')) ?? {})
    expect(users).toEqual(['first-before', 'first-after', 'second-before', 'second-after'])
    await again.close()
    await journal.close()
  } finally {
    await disk.unmount()
  }
})

test('what is got can be changed without anything being kept', async () => {
  const journal = await openJournal(file, { Users: {} })
  await journal.set(ctx, ['Users', 'a'], { n: 1, since: { CreationDate: new Date(5) } })
  const got = await journal.get<{ n: number }>(ctx, ['Users', 'a'])
  if (got) got.n = 2
  expect(await journal.get(ctx, ['Users', 'a'])).toEqual({ n: 1, since: { CreationDate: new Date(5) } })
  await journal.close()
})

test.each([
  ['removed', () => rm(file)],
  ['replaced', () => writeFile(`${file}.other`, '').then(() => rename(`${file}.other`, file))],
  ['gone with its folder', () => rm(folder, { recursive: true }).then(() => mkdir(folder))],
])('a file that is %s takes no more, and it is said what to do', async (_how, take) => {
  const journal = await openJournal(file, { Users: {} })
  await journal.set(ctx, ['Users', 'a'], { n: 1 })
  await take()
  expect(journal.trouble()).toContain(folder)
  await expect(journal.set(ctx, ['Users', 'b'], { n: 2 })).rejects.toThrow('stop the mesh and start it again')
  expect(await journal.get(ctx, ['Users', 'b'])).toBeNull()
  await journal.close()
})
