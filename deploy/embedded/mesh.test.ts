import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { isAlive } from '../../actors/kernel/process/alive.ts'
import { type MeshOptions, type RunningMesh, startMesh } from './mesh.ts'
import { readMeshFile } from './mesh-file.ts'
import { processNames } from './names.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 })
const deadline = { timeout: 60_000, interval: 50 }

let data: string
let lines: string[]
let meshes: RunningMesh[]
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'dailygrind-mesh-'))
  lines = []
  meshes = []
})
afterEach(async () => {
  await Promise.all(meshes.map(m => m.stop()))
  await rm(data, { recursive: true, force: true })
})

const start = async (options: Partial<MeshOptions> = {}): Promise<RunningMesh> => {
  const mesh = await startMesh({ port: 0, data, logTo: { write: line => void lines.push(line) }, ...options })
  meshes.push(mesh)
  return mesh
}
const get = (address: string): Promise<Response> => fetch(address, { signal: AbortSignal.timeout(5_000) })
const pidOf = (mesh: RunningMesh, name: string): number =>
  mesh.pids().find(p => p.name === name)?.pid ?? expect.fail(`${name} does not run`)
const commandOf = async (pid: number): Promise<string> =>
  (await promisify(execFile)('ps', ['-o', 'args=', '-p', String(pid)])).stdout.trim()

const person = { name: 'ann@example.com', password: 'correct horse battery' }
const cognito = async (mesh: RunningMesh, action: string, body: object): Promise<unknown> => {
  const answer = await fetch(String(mesh.engines.COGNITO_ENDPOINT), {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSCognitoIdentityProviderService.${action}` },
    body: JSON.stringify({ ClientId: mesh.engines.COGNITO_CLIENT_ID, ...body }),
  })
  if (!answer.ok) expect.fail(`${action}: ${await answer.text()}`)
  return answer.json()
}
const signUp = (mesh: RunningMesh) =>
  cognito(mesh, 'SignUp', { Username: person.name, Password: person.password, UserAttributes: [{ Name: 'email', Value: person.name }] })
const tokenOf = async (mesh: RunningMesh): Promise<string> => {
  const answer = await cognito(mesh, 'InitiateAuth', {
    AuthFlow: 'USER_PASSWORD_AUTH',
    AuthParameters: { USERNAME: person.name, PASSWORD: person.password },
  })
  expect(answer).toMatchObject({ AuthenticationResult: { AccessToken: expect.any(String) } })
  return /"AccessToken":"([^"]+)"/.exec(JSON.stringify(answer))?.[1] ?? ''
}
const api = async (mesh: RunningMesh, method: string, path: string, body?: object) =>
  fetch(`${mesh.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${await tokenOf(mesh)}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(30_000),
  })

test('in one process: people sign up, write and read, also after a restart', async () => {
  const first = await start()
  expect((await get(`${first.url}/health/ready`)).status).toBe(200)
  expect(await (await get(`${first.operations}/metrics`)).text()).toContain('dailygrind_')
  expect((await get(`${first.operations}/health/ready`)).status).toBe(200)
  await signUp(first)
  expect((await api(first, 'PUT', '/v1/users/me', { firstName: 'Ann', lastName: 'Lee' })).status).toBe(201)
  expect(await readMeshFile(data)).toMatchObject({ url: first.url, operations: first.operations, pid: process.pid })
  await first.stop()
  expect(await readMeshFile(data)).toBeUndefined()
  await expect(get(`${first.url}/health/live`)).rejects.toThrow('fetch failed')

  const second = await start()
  expect(await (await api(second, 'GET', '/v1/users/me')).json()).toMatchObject({ firstName: 'Ann', email: person.name })
})

test('what keeps nothing leaves nothing', async () => {
  const mesh = await start({ data: undefined })
  expect(await readMeshFile(mesh.directory)).toMatchObject({ url: mesh.url })
  await mesh.stop()
  expect(existsSync(mesh.directory)).toBe(false)
})

test('a second mesh on the same data, or on the same port, is refused, and the first goes on', async () => {
  const mesh = await start()
  await expect(start()).rejects.toThrow(`${data} belongs to a mesh that runs`)
  const port = Number(new URL(mesh.url).port)
  await expect(start({ data: undefined, port })).rejects.toThrow(`port ${port} of 127.0.0.1 is in use`)
  expect((await get(`${mesh.url}/health/ready`)).status).toBe(200)
  expect(await readMeshFile(data)).toMatchObject({ url: mesh.url })
})

test('no secret is written but to its own file', async () => {
  const mesh = await start({ settings: { LOG_LEVEL: 'trace' } })
  const secret = (await readFile(join(data, 'edge-secret'), 'utf8')).trim()
  await mesh.stop()
  expect(lines.join('')).not.toContain(secret)
  expect(JSON.stringify(mesh.engines)).not.toContain(secret)
})

test('as processes: each has its name, and any that is killed comes back to its place', async () => {
  const mesh = await start({ processes: true })
  expect(mesh.pids().map(p => p.name)).toEqual(expect.arrayContaining([...processNames]))
  for (const { name, pid } of mesh.pids()) expect(await commandOf(pid)).toBe(`dailygrind ${name}`)
  await signUp(mesh)
  expect((await api(mesh, 'PUT', '/v1/users/me', { firstName: 'Ann', lastName: 'Lee' })).status).toBe(201)

  // The other actors are started as users is.
  const killed = ['engines', 'users', 'edge']
  for (const name of killed) {
    const pid = pidOf(mesh, name)
    process.kill(pid, 'SIGKILL')
    await vi.waitFor(async () => {
      expect(pidOf(mesh, name)).not.toBe(pid)
      expect(await (await get(`${mesh.operations}/health/ready`)).text()).toContain('{"ok":true,"parts"')
    }, deadline)
    expect((await readMeshFile(data))?.processes).toContainEqual({ name, pid: pidOf(mesh, name), restarts: 1 })
    expect((await api(mesh, 'PATCH', '/v1/users/me', { headline: name })).ok).toBe(true)
    // It was a 202 where the message before was not acknowledged when its worker was killed: that one comes back first.
    await vi.waitFor(async () => expect(await (await api(mesh, 'GET', '/v1/users/me')).json()).toMatchObject({ headline: name }), deadline)
  }
  const metrics = await (await get(`${mesh.operations}/metrics`)).text()
  for (const name of processNames)
    expect(metrics).toContain(`dailygrind_process_restarts{process="${name}"} ${killed.includes(name) ? 1 : 0}`)
  expect(metrics.match(/^# TYPE process_cpu_seconds_total /gm)).toHaveLength(1)
  expect(metrics).toContain('process_cpu_seconds_total{process="users"}')

  const pids = mesh.pids().map(p => p.pid)
  await mesh.stop()
  expect(pids.filter(isAlive)).toEqual([])
})

test('failpoints strike the first incarnation of their process only', async () => {
  const mesh = await start({ processes: true, failpoints: { users: 'after-commit=kill' } })
  await signUp(mesh)
  const written = await api(mesh, 'PUT', '/v1/users/me', { firstName: 'Ann', lastName: 'Lee' })
  expect([200, 201, 202]).toContain(written.status)
  await vi.waitFor(async () => expect((await api(mesh, 'GET', '/v1/users/me')).status).toBe(200), deadline)
  expect(mesh.pids().find(p => p.name === 'users')?.restarts).toBe(1)
})

test('a part that cannot start ends the others', async () => {
  const taken = createServer()
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
  const address = taken.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const settings = { OPERATIONS_PORT: String(port) }
  for (const processes of [false, true])
    await expect(start({ processes, settings })).rejects.toThrow(`the operations port ${port} of 127.0.0.1 is in use`)
  taken.close()
  expect(existsSync(join(data, 'lock'))).toBe(false)
})
