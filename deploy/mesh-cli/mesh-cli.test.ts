import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { readConfig } from '../../actors/kernel/config/config.ts'
import { bullmqJobs } from '../../actors/kernel/ports/jobs/bullmq.ts'
import { groupOf } from '../../contracts/declare/messages.ts'
import { deadLetterQueue } from '../../contracts/derive/topology.ts'
import { mesh as product } from '../../contracts/mesh.ts'
import { type RunningMesh, startMesh } from '../embedded/mesh.ts'
import { ownModule } from '../emulators/module.ts'
import { type OpenMesh, openMesh } from './open.ts'
import { run } from './run.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const ANN = 'aaaaaaaa-0000-4000-8000-000000000000'
const SAMPLED = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
const HOUR = 3_600_000

let mesh: RunningMesh
let open: OpenMesh
beforeAll(async () => {
  mesh = await startMesh({ port: 0, data: undefined, settings: { LOG_LEVEL: 'silent' }, logTo: { write: () => {} } })
  open = await openMesh({ data: mesh.directory, aws: false, operations: [] })
})
afterAll(async () => {
  await open?.close()
  await mesh?.stop()
})

const tool = async (...args: readonly string[]): Promise<{ code: number; out: string; err: string }> => {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await run([...args, '--data', mesh.directory], { say: line => out.push(line), complain: line => err.push(line) })
  return { code, out: out.join('\n'), err: err.join('\n') }
}
/** Waits until so many dead letters are there. */
const dead = (queue: string, count: number) =>
  vi.waitFor(async () => expect((await open.mailbox.depth(deadLetterQueue(queue))).waiting).toBe(count), { timeout: 20_000, interval: 50 })

/** A command as an edge writes it, of a caller who has long been told 202. */
const command = (id: string, type: string, data: object, extra: object = {}) => {
  const spec = product.commands.get(type)?.command ?? expect.fail(`no command ${type}`)
  const at = new Date(Date.now() - HOUR).toISOString()
  const key = groupOf(spec, { id, by: ANN, at, data })
  const reply = { to: 'edge-gone', until: Date.now() - HOUR, durable: false }
  const trace = { request: `request-of-${id}`, cause: null, traceparent: SAMPLED }
  return { key, body: JSON.stringify({ v: 1, id, type, key, by: ANN, at, data, reply, trace, ...extra }) }
}
/** A dead letter as a worker leaves it whose rule threw, before the rule was mended. */
const plant = async (id: string, type: string, data: object) => {
  const { key, body } = command(id, type, data)
  const attributes = { reason: 'TypeError: undefined is no name', receives: '5', sentAt: String(Date.now() - HOUR), id, group: key }
  await open.mailbox.send('users-dead.fifo', { id, group: id, body, attributes })
  return key
}

test('a mesh that is well', async () => {
  const { code, out } = await tool('status')
  expect(out).toContain('All is well.')
  expect(code).toBe(0)
  expect(out).toContain(`the mesh in ${mesh.directory}, process ${process.pid}, ${mesh.url}`)
  for (const queue of ['users.fifo', 'posts.fifo', 'posts-events', 'timelines-events'])
    expect(out).toMatch(new RegExp(`^${queue.replace('.', '\\.')} +0 +0 +- +0\\.0 +0$`, 'm'))
  expect(out).toMatch(/^mesh +\d+ .*MB$/m)
  expect(out).toMatch(/^posts +yes$/m)
  expect(out).toContain('table kernel ok, routes of events ok, backplane ok')
  expect(out).toContain('0 under way')
})

test('a mailbox’s dead letters are listed as often as one likes, shown, and one that still cannot be read dies again', async () => {
  // Three of one key: each must be seen, though a FIFO queue gives one of a group at a time.
  for (const id of ['bad-1', 'bad-2', 'bad-3'])
    await open.mailbox.send('posts.fifo', { id, group: 'post#x/post', body: `{"v":9,"id":"m-${id}"}` })
  await dead('posts.fifo', 3)
  const first = await tool('dead', 'posts')
  expect(first.code).toBe(1)
  expect(first.out).toContain('posts.fifo: 3 dead letters\n')
  for (const id of ['bad-1', 'bad-2', 'bad-3']) expect(first.out).toContain(`  ${id}  of no type\n`)
  expect(first.out).toMatch(/reason {2}v: /)
  expect(first.out).toMatch(/by nobody that it names, 1 receive, in itself m-bad-1/)
  // Looking changed nothing: at once they are there again for the next who looks.
  const again = await tool('dead')
  expect(again.out.match(/^ {2}bad-\d/gm)).toHaveLength(3)

  const status = await tool('status')
  expect(status.code).toBe(1)
  expect(status.out).toContain('1 thing is wrong:\n  posts.fifo has 3 dead letters: npm run mesh -- dead posts.fifo')

  // By its own id as well as by its queue's.
  const shown = await tool('show', 'm-bad-2')
  expect(shown.code).toBe(0)
  expect(shown.out).toContain('bad-2 in the dead letters of posts.fifo')
  expect(shown.out).toContain('  group       post#x/post')
  expect(shown.out).toContain('it would die again at once: v: ')
  expect(shown.out).toContain('State of its key (posts, post#x, post): none')

  const dry = await tool('redrive', 'bad-2', '--dry-run')
  expect(dry.code).toBe(0)
  expect(dry.out).toContain('Would send bad-2 (of no type')
  expect(dry.out).toContain('Nothing was sent')
  await dead('posts.fifo', 3)

  const redriven = await tool('redrive', 'bad-2')
  expect(redriven.code).toBe(1)
  expect(redriven.out).toContain('bad-2 was sent back to posts.fifo: it died again, v: ')
  expect(redriven.out).toContain('3 dead letters left in posts.fifo')
  const all = await tool('redrive', '--all', 'posts')
  expect(all.code).toBe(1)
  expect(all.out.match(/^bad-\d was sent back to posts\.fifo: it died again/gm)).toHaveLength(3)
  // It keeps its id however often it dies.
  expect((await tool('dead', 'posts')).out.match(/^ {2}bad-\d {2}/gm)).toHaveLength(3)
})

test('an event’s dead letters are listed, shown and sent back alike', async () => {
  const body = JSON.stringify({ v: 1, id: 'event-1.0', type: 'post.flown', key: 'post#y/post', by: ANN })
  await open.mailbox.send('timelines-events', { id: 'event-1', body })
  await dead('timelines-events', 1)
  const { out } = await tool('dead', 'timelines-events')
  expect(out).toContain('timelines-events: 1 dead letter\n')
  expect(out).toContain('post.flown')
  expect(out).toContain(`by ${ANN}, 1 receive, in itself event-1.0`)
  expect((await tool('show', 'event-1.0')).out).toContain('in the dead letters of timelines-events')
  const redriven = await tool('redrive', '--all', 'timelines')
  expect(redriven.code).toBe(1)
  expect(redriven.out).toContain('it died again')
  await dead('timelines-events', 1)
})

test('what a mended rule takes is settled, once, and traced', async () => {
  const key = await plant('late-1', 'user.replace', { firstName: 'Ann', lastName: 'Lee' })
  await plant('late-2', 'user.edit', { bio: 'writes' })
  const shown = await tool('show', 'late-1')
  expect(shown.out).toContain('  reason      TypeError: undefined is no name')
  expect(shown.out).toContain('at receive 5')
  expect(shown.out).toContain('it would be read, and tried again')
  expect(shown.out).toContain('Operation (kernel, operation#late-1, operation): none')
  expect(shown.out).toContain('Last reply on the backplane: none')
  expect(shown.out).toMatch(/State of its key \(users, .*\): none/)

  const one = await tool('redrive', 'late-1')
  expect(one.out).toContain('late-1 was sent back to users.fifo: done: 201')
  expect(one.out).toContain('1 dead letter left in users.fifo')
  expect(one.code).toBe(0)
  const two = await tool('redrive', '--all', 'users.fifo')
  expect(two.out).toMatch(/late-2 was sent back to users\.fifo: (done|refused)/)
  expect(two.out).toContain('The dead letters of users.fifo are empty.')
  expect(two.code).toBe(0)
  expect(await tool('redrive', '--all', 'users')).toMatchObject({ code: 0, out: expect.stringContaining('nothing to send back') })
  const slash = key.lastIndexOf('/')
  const [state] = await open.store.get([{ table: 'users', pk: key.slice(0, slash), sk: key.slice(slash + 1) }])
  expect(state).toMatchObject({ profile: { firstName: 'Ann' } })

  const traced = await tool('trace', 'request-of-late-1')
  expect(traced.code).toBe(0)
  expect(traced.out).toMatch(/^users {2}user\.replace +\+0\.0 ms, took [\d.]+ ms, 201$/m)
  expect(traced.out).toMatch(/dynamodb:\w+/)
  const metrics = await (await fetch(`${mesh.operations}/metrics`)).text()
  expect(metrics).toContain('dailygrind_messages_redriven_total{queue="users.fifo"} 2')
})

test('deliveries that were given up are listed and shown', async () => {
  expect((await tool('dead', 'push')).out).not.toContain('given up in the last week')
  const url = mesh.engines.JOBS_URL ?? mesh.engines.REDIS_URL ?? expect.fail('jobs are kept nowhere')
  const jobs = bullmqJobs({ url, prefix: readConfig({}, product).PREFIX })
  const late = { id: 'event-1.0.device-1', data: { to: ANN }, until: Date.now() - HOUR }
  await vi.waitFor(() => jobs.add('push', [late]), { timeout: 60_000, interval: 50 })
  await vi.waitFor(async () => expect(await jobs.givenUp('push')).toHaveLength(1), { timeout: 60_000, interval: 50 })
  await jobs.close()

  const { code, out } = await tool('dead', 'push')
  expect(out).toContain('push: 1 delivery given up in the last week, the latest first\n  event-1.0.device-1\n')
  expect(out).toContain('Z: its time was over before its try 1')
  // Nothing that can be sent back, so nothing to be done.
  expect(out).toContain('No dead letters.')
  expect(code).toBe(0)
  expect((await tool('dead', 'users')).out).not.toContain('given up')
  const shown = await tool('show', 'event-1.0.device-1')
  expect(shown.code).toBe(0)
  expect(shown.out).toContain('event-1.0.device-1, a delivery that was given up\n  reason      its time was over before its try 1')
  expect(shown.out).toContain(`"to": "${ANN}"`)
})

test('what is not there is said, with what to do', async () => {
  expect(await tool('trace', 'unheard-of')).toMatchObject({ code: 1, out: expect.stringContaining('traceparent ends in -01') })
  expect(await tool('show', 'unheard-of')).toMatchObject({ code: 1, out: expect.stringContaining('There is no dead letter "unheard-of"') })
  expect(await tool('redrive', 'unheard-of')).toMatchObject({ code: 1, out: expect.stringContaining('There is no dead letter') })
  expect(await tool('dead', 'nobody')).toMatchObject({ code: 2, err: expect.stringContaining('there is no actor or queue "nobody"') })
  expect(await tool('fly')).toMatchObject({ code: 2, err: expect.stringContaining('there is no command "fly"') })
  expect(await tool('show')).toMatchObject({ code: 2, err: expect.stringContaining('show takes the id of a dead letter') })
  expect(await tool('status', '--aws')).toMatchObject({ code: 2, err: expect.stringContaining('--aws and --data are different meshes') })
  const empty = await mkdtemp(join(tmpdir(), 'dailygrind-none-'))
  const err: string[] = []
  expect(await run(['status', '--data', empty], { say: () => {}, complain: line => err.push(line) })).toBe(2)
  expect(err[0]).toContain(`no mesh runs in ${empty}: start one with npm start`)
  await rm(empty, { recursive: true })
})

test('engines that are away are named, each', async () => {
  const nowhere = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9', REDIS_URL: 'redis://127.0.0.1:9', EMBEDDED: 'true' }
  const { code, out } = await spawned(['status', '--aws', '--operations', 'http://127.0.0.1:9'], nowhere)
  expect(out).toContain('posts.fifo: ')
  expect(out).toContain('table kernel: ')
  expect(out).toMatch(/backplane: Redis at 127\.0\.0\.1:9/)
  expect(out).toContain('http://127.0.0.1:9 does not answer')
  expect(out).not.toContain('has 0 dead letters')
  expect(code).toBe(1)
})

/** The tool as a process of its own. @param until ends it with `end` once its output has this */
const spawned = (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { until, end, terminal = false }: { until?: string; end?: string; terminal?: boolean } = {},
) =>
  new Promise<{ code: number | null; out: string }>(resolve => {
    const { script, execArgv } = ownModule('./main', import.meta.url)
    const own = [...execArgv, script, ...args]
    const quoted = [process.execPath, ...own].map(a => `'${a}'`).join(' ')
    const child = terminal
      ? spawn('script', ['-qec', `stty cols 80 rows 24; exec ${quoted}`, '/dev/null'], { env: { PATH: '/usr/bin:/bin', ...env } })
      : spawn(process.execPath, own, { env })
    let out = ''
    let ending = false
    const heard = (bytes: Buffer) => {
      out += bytes.toString()
      if (ending || until === undefined || !out.includes(until)) return
      ending = true
      if (end === undefined) child.kill('SIGINT')
      else child.stdin.write(end)
    }
    child.stdout.on('data', heard)
    child.stderr.on('data', heard)
    child.on('close', code => resolve({ code, out }))
  })

test('watch, where there is no terminal, writes a line a second', async () => {
  const { code, out } = await spawned(['watch', '--data', mesh.directory], {}, { until: 'dead=' })
  expect(out).toMatch(/^\d\d:\d\d:\d\dZ requests=[\d.]+ turns=[\d.]+ p95=\S+ events=[\d.]+ sockets=0 waiting=\d+ inflight=\d+ dead=\d+/m)
  expect(out).not.toContain('\x1b')
  expect(code).toBe(0)
})

const SCRIPT = existsSync('/usr/bin/script')
test.runIf(SCRIPT).each(['q', '\x03'])('watch, on a terminal, is a screen that %j leaves as it was', async end => {
  const { code, out } = await spawned(['watch', '--data', mesh.directory], {}, { terminal: true, until: 'users.fifo', end })
  expect(out).toContain('\x1b[?1049h')
  expect(out).toMatch(/turns\/s/)
  expect(out.lastIndexOf('\x1b[?25h\x1b[?1049l')).toBeGreaterThan(out.lastIndexOf('users.fifo'))
  expect(code).toBe(0)
})
