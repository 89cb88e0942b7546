import { spawn } from 'node:child_process'
import { type AddressInfo, connect, createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startMesh } from '../deploy/embedded/mesh.ts'
import { ownModule } from '../deploy/emulators/module.ts'

/** The story as a person runs it: a process of its own, judged by what it prints and by its exit code. */
const story = (...flags: string[]) =>
  new Promise<{ code: number | null; told: string }>((resolve, reject) => {
    const { script, execArgv } = ownModule('./story/main', import.meta.url)
    const child = spawn(process.execPath, [...execArgv, script, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
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

describe('on a mesh that runs', () => {
  let mesh: Awaited<ReturnType<typeof startMesh>>
  beforeAll(async () => {
    mesh = await startMesh({ port: 0, settings: { LOG_LEVEL: 'silent' }, logTo: { write: () => undefined } })
  }, 60_000)
  afterAll(() => mesh?.stop(), 30_000)

  /** The story over a way on which words of the mesh come as others of the same length. */
  const misheard = async (said: string, heard: string) => {
    const { hostname, port } = new URL(mesh.url)
    const way = createServer(from => {
      const to = connect(Number(port), hostname)
      from.pipe(to).on('error', () => from.destroy())
      to.on('data', bytes => from.write(bytes.toString('latin1').replaceAll(said, heard), 'latin1')).on('end', () => from.end())
      from.on('error', () => to.destroy())
    })
    await new Promise<void>(resolve => way.listen(0, '127.0.0.1', resolve))
    const { port: open } = way.address() as AddressInfo
    const played = await story('--url', `http://127.0.0.1:${open}`)
    await new Promise(resolve => way.close(resolve))
    return played
  }

  test('all is well there, too, however often it is played', async () => {
    const { code, told } = await story('--url', mesh.url)
    expect(told).toContain('Pushes are shown on a mesh that the story starts')
    expect(told).toContain('All is well')
    expect(code).toBe(0)
  }, 60_000)

  test('one count that is off is told, and fails it', async () => {
    const { code, told } = await misheard('"likeCount":1,"commentCount":1', '"likeCount":2,"commentCount":1')
    expect(told).toMatch(/✗ The post counts one like and one comment: it is .*"likeCount":2/)
    expect(told).toMatch(/1 of \d+ things were wrong/)
    expect(code).toBe(1)
  }, 60_000)

  test('sockets that say nothing fail it, and do not hold it up for ever', async () => {
    const { code, told } = await misheard('"op":"hello"', '"op":"hullo"')
    expect(told).toContain('a device is told hello on its socket: not within')
    expect(code).toBe(1)
  }, 90_000)

  test('it cannot be played with kills where no process can be named', async () => {
    const { code, told } = await story('--url', mesh.url, '--kill', 'posts')
    expect(told).toContain('cannot be played: the mesh runs as one process, or shows none: start it with --processes')
    expect(code).toBe(2)
  }, 30_000)
})

test('a mesh that is not there cannot be played on', async () => {
  const { code, told } = await story('--url', 'http://127.0.0.1:1')
  expect(told).toContain('127.0.0.1:1')
  expect(code).toBe(2)
}, 30_000)
