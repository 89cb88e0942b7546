import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { isAlive } from '../../actors/kernel/process/alive.ts'
import { meet } from '../../contracts/client/client.ts'
import { CLOSE } from '../../contracts/frames.ts'
import { readMeshFile } from './mesh-file.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 })
const deadline = { timeout: 120_000, interval: 50 }

let data: string
let child: ChildProcess | undefined
let printed = ''
let complained = ''
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "dailygrind main #it's-"))
})
afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }
  await rm(data, { recursive: true, force: true, maxRetries: 50 })
})

const run = (...flags: string[]): ChildProcess =>
  listened(
    spawn(process.execPath, [fileURLToPath(new URL('./start.mjs', import.meta.url)), ...flags], { stdio: ['ignore', 'pipe', 'pipe'] }),
  )

/** As from a terminal: npm and what it starts are one group of processes. */
const runByNpm = (...flags: string[]): ChildProcess =>
  listened(
    spawn('npm', ['start', '--', ...flags], {
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )

const listened = <P extends ChildProcessByStdio<null, Readable, Readable>>(started: P): P => {
  printed = ''
  complained = ''
  started.stdout.on('data', chunk => {
    printed += chunk
  })
  started.stderr.on('data', chunk => {
    complained += chunk
  })
  child = started
  return started
}
const ready = () => vi.waitFor(() => expect(printed).toContain('Ctrl-C'), deadline)
const exitOf = async (one: ChildProcess) => (await once(one, 'exit'))[0]
const processes = async (): Promise<number[]> =>
  (await readMeshFile(data))?.processes.map(p => p.pid) ?? expect.fail('there is no mesh.json')

test.each([[[]], [['--processes']]])('with %j, Ctrl-C ends it with 0, and nothing is left', async flags => {
  const mesh = run('--port', '0', '--data', data, ...flags)
  await ready()
  const pids = await processes()
  const exit = exitOf(mesh)
  mesh.kill('SIGINT')
  expect(await exit).toBe(0)
  expect(pids.filter(isAlive)).toEqual([])
  expect(await readMeshFile(data)).toBeUndefined()
})

test.each([[[]], [['--processes']]])(
  'with %j, Ctrl-C in a terminal reaches npm too, which hands it on: it still drains and stops',
  async flags => {
    const npm = runByNpm('--port', '0', '--data', data, ...flags)
    const tell = (signal: NodeJS.Signals) => process.kill(-(npm.pid ?? expect.fail('npm does not run')), signal)
    try {
      await ready()
      const pids = await processes()
      const exit = exitOf(npm)
      tell('SIGINT')
      await exit
      // npm may be gone before what it started, and before all that was said has been read.
      await vi.waitFor(() => expect(printed).toContain('Stopped.'), deadline)
      expect(complained).not.toContain('by force')
      await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), deadline)
    } finally {
      if (npm.exitCode === null && npm.signalCode === null) tell('SIGKILL')
    }
  },
)

test.each([[[]], [['--processes']]])(
  'with %j, Ctrl-C tells who still waits for a reply where to ask, and sockets to come back',
  async flags => {
    vi.stubEnv('FAILPOINTS', 'after-receive=stall:60000')
    const mesh = run('--port', '0', '--data', data, ...flags)
    vi.unstubAllEnvs()
    await ready()
    const { url = '', operations = '' } = (await readMeshFile(data)) ?? {}
    const person = { email: 'ann@example.com', password: 'correct horse battery' }
    const pool = await meet(url)
    await pool.signUp(person)
    const ann = await pool.signIn(person)
    // A device that does not go when it is asked to.
    const socket = new WebSocket(pool.config.stream, ['dailygrind.v1', `bearer.${await ann.token(false)}`])
    const closed = once(socket, 'close')
    await once(socket, 'message')
    const waiting = ann.exchange('user.replace', { firstName: 'Ann', lastName: 'Lee' }, { headers: { prefer: 'wait=20' } })
    const sent = async () => (await fetch(`${operations}/metrics`)).text()
    await vi.waitFor(async () => expect(await sent()).toMatch(/messages_sent_total\{[^}]*"user\.replace"[^}]*\} 1/), deadline)
    const began = performance.now()
    const exit = exitOf(mesh)
    mesh.kill('SIGINT')
    const { status, headers } = await waiting
    expect([status, headers.get('location')]).toEqual([202, expect.stringMatching(/^\/v1\/operations\//)])
    expect((await closed)[0]).toBe(CLOSE.restart)
    expect(await exit).toBe(0)
    expect(performance.now() - began).toBeLessThan(12_000)
    expect(complained).not.toContain('by force')
  },
)

test('the printed commands work as they are', async () => {
  run('--port', '0', '--data', data)
  await ready()
  const commands = printed.split('\n').filter(line => /^(curl|TOKEN=)/.test(line))
  expect(commands).toHaveLength(3)
  const shell = spawn('sh', ['-ec', commands.join('\n')], { stdio: ['ignore', 'pipe', 'inherit'] })
  let answer = ''
  shell.stdout.on('data', chunk => {
    answer += chunk
  })
  expect(await exitOf(shell)).toBe(0)
  expect(answer).toContain('"firstName":"Ann"')

  const [, story = ''] = /(npm run story.*)/.exec(printed) ?? []
  const told = spawn('sh', ['-ec', story], { cwd: fileURLToPath(new URL('../../', import.meta.url)), stdio: ['ignore', 'pipe', 'inherit'] })
  let tale = ''
  told.stdout.on('data', chunk => {
    tale += chunk
  })
  expect(await exitOf(told)).toBe(0)
  // On this mesh, none of its own.
  expect(tale).toContain((await readMeshFile(data))?.url)
})

test('a second Ctrl-C ends it by force, and nothing is left', async () => {
  const mesh = run('--port', '0', '--data', data, '--processes')
  await ready()
  const pids = await processes()
  const exit = exitOf(mesh)
  mesh.kill('SIGINT')
  mesh.kill('SIGTERM')
  expect(await exit).not.toBe(null)
  await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), deadline)
})

test('a mesh that is killed leaves no process behind, and the next one takes its data over', async () => {
  const mesh = run('--port', '0', '--data', data, '--processes')
  await ready()
  const pids = await processes()
  mesh.kill('SIGKILL')
  await exitOf(mesh)
  run('--port', '0', '--data', data)
  await ready()
  expect(pids.filter(isAlive)).toEqual([])
})

test('what is wrong with the flags or the port is named', async () => {
  expect(await exitOf(run('--prot', '1'))).toBe(2)
  expect(complained).toContain("'--prot'")

  run('--port', '0', '--data', data)
  await ready()
  const { url } = (await readMeshFile(data)) ?? expect.fail('there is no mesh.json')
  const { port } = new URL(url)
  const first = child
  expect(await exitOf(run('--port', port, '--ephemeral'))).toBe(1)
  expect(complained).toContain(`port ${port} of 127.0.0.1 is in use`)
  child = first
})
