import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { isAlive } from '../../actors/kernel/process/alive.ts'
import { ownModule } from '../emulators/module.ts'
import { type Supervised, type SuperviseOptions, supervise } from './supervisor.ts'

vi.setConfig({ testTimeout: 60_000 })
const deadline = { timeout: 30_000, interval: 20 }
let folder: string
let journal: string
let supervised: Supervised[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dailygrind-supervisor-'))
  journal = join(folder, 'journal')
})
afterEach(async () => {
  await Promise.all(supervised.map(s => s.stop(0)))
  supervised = []
  await rm(folder, { recursive: true, force: true })
})

const lines: string[] = []
const begin = (name: string, behaviour = '', more: Partial<SuperviseOptions> = {}): Supervised => {
  const one = supervise({
    name,
    ...ownModule('./supervisor.fixture', import.meta.url),
    args: [name, journal, behaviour],
    settings: async () => ({}),
    log: pino({ level: 'silent' }),
    line: (_name, line) => lines.push(line),
    changed: () => {},
    ...more,
  })
  supervised.push(one)
  return one
}
const noted = async (): Promise<string[]> => (await readFile(journal, 'utf8').catch(() => '')).split('\n').filter(Boolean)
const pidOf = (one: Supervised): number => one.state().pid ?? expect.fail(`${one.name} does not run`)

test('a killed process is started again, with the settings of its incarnation, and is ready again', async () => {
  const settings = async (incarnation: number) => ({ FAILPOINTS: incarnation === 0 ? 'after-commit=kill' : '' })
  const one = begin('one', '', { settings })
  const info = await one.ready
  expect(info.name).toBe('one')
  expect((await fetch(`${info.operations}/health/ready`)).status).toBe(200)

  const pid = pidOf(one)
  process.kill(pid, 'SIGKILL')
  await vi.waitFor(() => expect(one.state()).toMatchObject({ restarts: 1, ready: true }), deadline)
  expect(pidOf(one)).not.toBe(pid)
  expect(await noted()).toEqual(['one starts after-commit=kill', 'one starts'])
})

test('signals do not end it, the word of the parent does, after draining', async () => {
  const one = begin('one')
  await one.ready
  const pid = pidOf(one)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal)
  await one.stop(30_000)
  expect(await noted()).toEqual(['one starts', 'one drains', 'one ends'])
  expect(isAlive(pid)).toBe(false)
  expect(one.state()).toMatchObject({ pid: undefined, restarts: 0 })
})

test('one that never finishes draining is killed when its time is over', async () => {
  const one = begin('one', 'stubborn')
  await one.ready
  const pid = pidOf(one)
  await one.stop(100)
  expect(isAlive(pid)).toBe(false)
})

test('one that cannot start says why', async () => {
  const one = begin('one', 'broken')
  await expect(one.ready).rejects.toThrow('port 1 of the moon is in use')
})

test('one that dies again and again before it is ready is given up', async () => {
  const one = begin('one', '', { script: join(folder, 'absent.mjs') })
  await expect(one.ready).rejects.toThrow('one ended 3 times before it was ready (exit code 1)')
})

test('one that waits for its settings can be stopped', async () => {
  const one = begin('one', '', { settings: () => new Promise(() => {}) })
  await one.stop(30_000)
  expect(await noted()).toEqual([])
})

test('children whose parent is killed drain and end, those that the others need last', async () => {
  const { script, execArgv } = ownModule('./orphans.fixture', import.meta.url)
  const parent = spawn(process.execPath, [...execArgv, script, journal], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [printed] = await once(parent.stdout, 'data')
  const pids = z.array(z.int()).parse(JSON.parse(String(printed)))
  expect(pids.every(isAlive)).toBe(true)
  parent.kill('SIGKILL')
  await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), deadline)
  expect((await noted()).slice(2)).toEqual(['edge drains', 'edge ends', 'engines drains', 'engines ends'])
})
