import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockData } from './lock.ts'
import { type MeshFile, meshFile, readMeshFile } from './mesh-file.ts'
import { edgeSecret } from './secret.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dailygrind-data-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const content = (pid: number): MeshFile => ({
  url: 'http://127.0.0.1:1',
  stream: 'ws://127.0.0.1:1/v1/stream',
  operations: 'http://127.0.0.1:2',
  pid,
  processes: [{ name: 'engines', pid, restarts: 0 }],
  config: {},
})

test('a directory has one owner at a time', async () => {
  const directory = join(folder, 'new', 'data')
  const lock = await lockData(directory)
  await expect(lockData(directory)).rejects.toThrow(`${directory} belongs to a mesh that runs (process ${process.pid})`)
  await lock.release()
  await (await lockData(directory)).release()
})

test.each(['{"pid":999999999,"begun":"1"}', `{"pid":${process.pid},"begun":"another time"}`, 'not even JSON', ''])(
  'a lock of nobody that lives is taken over: %s',
  async left => {
    await writeFile(join(folder, 'lock'), left)
    const lock = await lockData(folder)
    await expect(lockData(folder)).rejects.toThrow('belongs to a mesh that runs')
    await lock.release()
  },
)

test('the processes that a killed mesh left behind are waited for', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.on("end", () => process.exit()).resume()'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const ended = once(child, 'exit')
  await meshFile(folder).put(content(child.pid ?? 0))
  await lockData(folder, () => child.stdin.end())
  await ended
  expect(child.exitCode).toBe(0)
  expect(await readMeshFile(folder)).toBeUndefined()
})

test('mesh.json holds the newest that was put, and goes', async () => {
  const file = meshFile(folder)
  await Promise.all([1, 2, 3].map(pid => file.put(content(pid))))
  expect(await readMeshFile(folder)).toEqual(content(3))
  await file.remove()
  expect(await readdir(folder)).toEqual([])
})

test('the secret is made once and for its owner only', async () => {
  const secret = await edgeSecret(folder)
  expect(await edgeSecret(folder)).toBe(secret)
  expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
  expect((await stat(join(folder, 'edge-secret'))).mode & 0o777).toBe(0o600)
  expect(await edgeSecret(undefined)).not.toBe(secret)
})

test('a secret that somebody spoilt is named', async () => {
  await writeFile(join(folder, 'edge-secret'), 'short')
  await expect(edgeSecret(folder)).rejects.toThrow(join(folder, 'edge-secret'))
  expect(await readFile(join(folder, 'edge-secret'), 'utf8')).toBe('short')
})
