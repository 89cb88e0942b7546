import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { isAlive } from '../../../actors/kernel/process/alive.ts'
import { findRedisServer, type RedisServer, startRedisServer } from './start.ts'

vi.setConfig({ testTimeout: 60_000 })
const program = 'redis-server'
const here = (await findRedisServer(program)) !== undefined
if (!here) console.warn('\n*** redis-server is not on the PATH: running one of our own was NOT tried ***\n')

let path: string
let server: RedisServer | undefined
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'dailygrind-redis-'))
})
afterEach(async () => {
  await server?.close()
  await rm(path, { recursive: true, force: true })
})
const start = async () => {
  server = await startRedisServer({ program, path, warn: () => {} })
  return server
}
const asked = async <T>(url: string, ask: (redis: Redis) => Promise<T>): Promise<T> => {
  const redis = new Redis(url)
  try {
    return await ask(redis)
  } finally {
    redis.disconnect()
  }
}

test('a program that is not there, or is no Redis, is not found', async () => {
  expect(await findRedisServer('none')).toBeUndefined()
  expect(await findRedisServer(process.execPath)).toBeUndefined()
})

describe.runIf(here)('a Redis of our own', () => {
  test('keeps what it was given, and is gone when closed', async () => {
    const first = await start()
    await asked(first.url, redis => redis.set('kept', 'yes'))
    const pid = first.pid() ?? expect.fail('it does not run')
    await first.close()
    expect(isAlive(pid)).toBe(false)
    expect(await asked((await start()).url, redis => redis.get('kept'))).toBe('yes')
  })

  test('takes the place of one that was left behind without its companion', async () => {
    const pidfile = join(path, 'redis.pid')
    const args = ['--port', '0', '--unixsocket', join(path, 'socket'), '--dir', path, '--pidfile', pidfile, '--appendonly', 'yes']
    const orphan = spawn(program, args, { stdio: 'ignore' })
    const ended = once(orphan, 'exit')
    await vi.waitFor(async () => expect(Number(await readFile(pidfile, 'utf8'))).toBe(orphan.pid), { timeout: 10_000, interval: 20 })
    await asked(join(path, 'socket'), redis => redis.set('kept', 'yes'))
    expect(await asked((await start()).url, redis => redis.get('kept'))).toBe('yes')
    await ended
  })

  test('leaves another process alone that has the id of one before', async () => {
    await writeFile(join(path, 'redis.pid'), String(process.pid))
    expect(await asked((await start()).url, redis => redis.ping())).toBe('PONG')
  })
})
