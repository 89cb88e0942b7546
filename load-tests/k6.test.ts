import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { zoneOfNoon } from './k6/noon.ts'
import { URL as Address } from './k6/url.ts'
import { findK6, runK6 } from './k6.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'k6-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A program that answers as told. */
const program = async (name: string, script: string): Promise<string> => {
  const path = join(folder, name)
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
  return path
}

describe('k6', () => {
  it('is taken where it is named, if it is one', async () => {
    const path = await program('good', 'echo "k6 v1.8.1 (go1.26.8, linux/amd64)"')
    expect(await findK6(path, 'v1.8.1')).toEqual({ path, version: '1.8.1' })
  })
  it.each([
    ['is absent', async () => join(folder, 'nowhere')],
    ['is something else', () => program('other', 'echo hello')],
    ['is older than 1.0', () => program('old', 'echo "k6 v0.57.0 (go1.23, linux/amd64)"')],
  ])('tells how to install it when it %s', async (_, place) => {
    await expect(findK6(await place(), 'v1.8.1')).rejects.toThrow('go install go.k6.io/k6@v1.8.1')
  })
  it('has the last word: its exit code is the run’s', async () => {
    expect(await runK6(await program('broken', 'exit 99'), [])).toBe(99)
  })
})

describe('what k6 lacks', () => {
  it.each(['http://127.0.0.1:3000', 'ws://[::1]:3000/v1/stream', 'https://cognito-idp.eu-central-1.amazonaws.com/'])(
    'knows %s as Node does',
    text => {
      const { protocol, hostname } = new URL(text)
      expect(new Address(text)).toMatchObject({ protocol, hostname })
    },
  )
  it.each(['', 'mesh', '/v1/stream', 'http://', 'http://a b/'])('knows that %j is no address, as Node does', text => {
    expect(() => new URL(text)).toThrow(TypeError)
    expect(() => new Address(text)).toThrow(TypeError)
  })
  it.each(Array.from({ length: 24 }, (_, hour) => hour))('finds a zone where it is noon at %d o’clock UTC', hour => {
    const at = new Date(Date.UTC(2026, 10, 22, hour, 30))
    const local = new Intl.DateTimeFormat('en', { timeZone: zoneOfNoon(at), hour: 'numeric', hourCycle: 'h23' }).format(at)
    expect(local).toBe('12')
  })
})
