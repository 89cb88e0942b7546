import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** The story as a person runs it: a process of its own, judged by what it prints and by its exit code. */
const story = (...flags: string[]) =>
  new Promise<{ code: number | null; told: string }>((resolve, reject) => {
    const main = fileURLToPath(new URL('./story/main.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', main, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
    let told = ''
    child.stdout.on('data', text => {
      told += String(text)
    })
    child.stderr.on('data', text => {
      told += String(text)
    })
    child.once('error', reject)
    child.once('close', code => resolve({ code, told }))
  })

test('a day is played and told, down to what one request set off', async () => {
  const { code, told } = await story()
  expect(told).not.toContain('✗')
  expect(told).toContain('A second post that day is refused')
  expect(told).toMatch(/edge {2}post\.publish/)
  expect(told).toContain('dynamodb:')
  expect(told).toContain('All is well')
  expect(code).toBe(0)
}, 120_000)

test('posts is killed in the middle of the work, and nothing is lost or doubled', async () => {
  const { code, told } = await story('--kill', 'posts')
  expect(told).not.toContain('✗')
  expect(told.match(/kill -9 \d+ \(posts\)/g)).toHaveLength(5)
  expect(told).toContain('All is well')
  expect(code).toBe(0)
}, 300_000)

test('a mesh that is not there cannot be played on', async () => {
  const { code, told } = await story('--url', 'http://127.0.0.1:1')
  expect(told).toContain('127.0.0.1:1')
  expect(code).not.toBe(0)
}, 30_000)
