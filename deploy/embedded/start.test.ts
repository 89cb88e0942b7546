import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { smallDisk } from '../emulators/small-disk.fixture.ts'
import { startMesh } from './mesh.ts'
import { createSteps } from './steps.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 })
const deadline = { timeout: 120_000, interval: 5 }

let folder: string
let printed = ''
let complained = ''
let child: ChildProcess | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dailygrind-start-'))
})
afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 50 })
})

const run = (...flags: string[]): ChildProcess => {
  printed = ''
  complained = ''
  const started = spawn(process.execPath, [fileURLToPath(new URL('./start.mjs', import.meta.url)), '--port', '0', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.stdout.on('data', chunk => {
    printed += chunk
  })
  started.stderr.on('data', chunk => {
    complained += chunk
  })
  child = started
  return started
}
const exitOf = async (one: ChildProcess): Promise<number | null> => (await once(one, 'close'))[0]

describe.each([[[]], [['--processes']]])('with %j', flags => {
  test.each([
    ['below /proc', async () => '/proc/x'],
    [
      'a file',
      async () => {
        await writeFile(join(folder, 'file'), '')
        return join(folder, 'file')
      },
    ],
    [
      'below a file',
      async () => {
        await writeFile(join(folder, 'file'), '')
        return join(folder, 'file', 'data')
      },
    ],
    [
      'with a folder in the place of its lock',
      async () => {
        await mkdir(join(folder, 'data', 'lock', 'x'), { recursive: true })
        return join(folder, 'data')
      },
    ],
    [
      'with a file in the place of its store',
      async () => {
        await writeFile(join(folder, 'dynamodb'), '')
        return folder
      },
    ],
  ])('a data directory that is %s is named, with a reason and a code', async (_what, make) => {
    const data = await make()
    expect(await exitOf(run('--data', data, ...flags))).toBe(1)
    expect(complained).toContain(data)
    expect(complained).toMatch(/\((ENOENT|EEXIST|ENOTDIR|EISDIR|ERR_FS_EISDIR)\)/)
  })

  test.each(['data directory', '(engines|processes):', '(edge is up|actors:)'])('Ctrl-C at the step %s ends a start', async step => {
    const mesh = run('--data', join(folder, 'data'), ...flags)
    const exit = exitOf(mesh)
    await vi.waitFor(() => expect(printed).toMatch(new RegExp(step)), deadline)
    mesh.kill('SIGINT')
    expect(await exit).toBe(0)
    expect(printed).toContain('Stopped.')
    expect(complained).toBe('')
    expect(await readdir(join(folder, 'data'))).not.toContain('lock')
  })
})

test('Ctrl-C ends a start that hangs in a call of the system', async () => {
  execFileSync('mkfifo', [join(folder, 'lock')])
  const mesh = run('--data', folder)
  const exit = exitOf(mesh)
  await vi.waitFor(() => expect(printed).toContain('data directory'), deadline)
  mesh.kill('SIGINT')
  await exit
  expect(printed).toContain('Stopping')
})

test('a full disk is named, and leaves nothing that keeps the next start from beginning', async () => {
  const disk = await smallDisk(64 * 1024 * 1024)
  if (!disk) return
  try {
    await disk.fill()
    const data = join(disk.path, 'data')
    expect(await exitOf(run('--data', data))).toBe(1)
    expect(complained).toContain(data)
    expect(complained).toContain('the disk is full')
    await disk.free()
    const mesh = run('--data', data)
    const exit = exitOf(mesh)
    await vi.waitFor(() => expect(printed).toContain('Ctrl-C'), deadline)
    mesh.kill('SIGINT')
    expect(await exit).toBe(0)
  } finally {
    await disk.unmount()
  }
})

test('an engine that never gets ready is named when its time is over', async () => {
  const program = join(folder, 'redis-server')
  await writeFile(
    program,
    `#!/bin/sh\ntrap '' TERM\n[ "$1" = --version ] && echo 'Redis server v=7.2.0' && exit\nwhile :; do sleep 1; done\n`,
  )
  await chmod(program, 0o755)
  const steps = createSteps({ withinMs: 8_000 })
  const settings = { REDIS_SERVER: program, LOG_LEVEL: 'silent' }
  await expect(startMesh({ port: 0, data: join(folder, 'data'), settings, steps, logTo: { write: () => {} } })).rejects.toThrow(
    'Redis was not ready within 8 s',
  )
})
