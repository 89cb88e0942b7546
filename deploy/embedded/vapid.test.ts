import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readConfig } from '../../actors/kernel/config/config.ts'
import { vapidAuthorization } from '../../actors/push/send/vapid.ts'
import { mesh } from '../../contracts/mesh.ts'
import { vapidSettings } from './vapid.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dailygrind-vapid-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

test('a pair is made at the first start, kept for its owner’s eyes, and can sign', async () => {
  const first = await vapidSettings(directory)
  expect(await vapidSettings(directory)).toEqual(first)
  expect((await stat(join(directory, 'vapid-keys'))).mode & 0o077).toBe(0)
  const { VAPID_PUBLIC_KEY: publicKey = '', VAPID_PRIVATE_KEY: privateKey = '', VAPID_SUBJECT: subject = '' } = readConfig(first, mesh)
  expect(vapidAuthorization({ publicKey, privateKey, subject }, Date.now)('https://push.example')).toContain(publicKey)
  expect((await vapidSettings(undefined)).VAPID_PUBLIC_KEY).not.toBe(publicKey)
})

test('a file that holds something else is named', async () => {
  const other = await mkdtemp(join(directory, 'other-'))
  await writeFile(join(other, 'vapid-keys'), 'nonsense')
  await expect(vapidSettings(other)).rejects.toThrow(join(other, 'vapid-keys'))
})

test('half a pair, origins that are none, and origins in production are refused', () => {
  expect(() => readConfig({ VAPID_PUBLIC_KEY: 'x' }, mesh)).toThrow('VAPID_PRIVATE_KEY')
  expect(readConfig({ PUSH_ALLOW_ORIGINS: 'http://127.0.0.1:81, https://push.test' }, mesh).PUSH_ALLOW_ORIGINS).toEqual([
    'http://127.0.0.1:81',
    'https://push.test',
  ])
  for (const origin of ['http://127.0.0.1:81/', 'push.test', 'ftp://push.test', 'https://me@push.test'])
    expect(() => readConfig({ PUSH_ALLOW_ORIGINS: origin }, mesh)).toThrow('PUSH_ALLOW_ORIGINS')
  expect(() => readConfig({ NODE_ENV: 'production', PUSH_ALLOW_ORIGINS: 'http://127.0.0.1:81' }, mesh)).toThrow('PUSH_ALLOW_ORIGINS')
})
