import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { meet } from '../../contracts/client/client.ts'
import { smallDisk } from '../emulators/small-disk.fixture.ts'
import { type RunningMesh, startMesh } from './mesh.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 })
const deadline = { timeout: 60_000, interval: 50 }

const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (let one = undo.pop(); one; one = undo.pop()) await one()
})

const start = async (data: string, processes: boolean): Promise<{ mesh: RunningMesh; said: string[] }> => {
  const said: string[] = []
  const mesh = await startMesh({ port: 0, data, processes, logTo: { write: line => void said.push(line) } })
  undo.push(mesh.stop)
  return { mesh, said }
}
const statusOf = async (address: string): Promise<number> => (await fetch(address)).status
const person = (name: string) => ({ email: `${name}@example.com`, password: 'correct horse battery' })

test.each([false, true])(
  'with the data directory gone, processes: %s, nothing more is acknowledged and readiness says so',
  async processes => {
    const parent = await mkdtemp(join(tmpdir(), 'dailygrind-lost-'))
    undo.push(() => rm(parent, { recursive: true, force: true }))
    const data = join(parent, 'data')
    const { mesh, said } = await start(data, processes)
    const pool = await meet(mesh.url)
    await pool.signUp(person('ann'))
    const ann = await pool.signIn(person('ann'))
    const put = (firstName: string) => ann.exchange('user.replace', { firstName, lastName: 'Lee' })
    expect((await put('Ann')).status).toBe(201)
    await rm(data, { recursive: true })
    expect([202, 503]).toContain((await put('Anna')).status)
    await expect(pool.signUp(person('ben'))).rejects.toThrow()
    await vi.waitFor(async () => expect(await statusOf(`${mesh.operations}/health/ready`)).toBe(503), deadline)
    await vi.waitFor(async () => expect(await statusOf(`${mesh.url}/health/ready`)).toBe(503), deadline)
    await vi.waitFor(() => expect(said.join('')).toContain('stop the mesh and start it again'), deadline)
    expect(mesh.trouble()).toContain(data)
  },
)

test.each([false, true])(
  'a mesh whose disk was full, processes: %s, has everybody and everything that it acknowledged',
  async processes => {
    const disk = await smallDisk(96 * 1024 * 1024)
    if (!disk) return
    undo.push(disk.unmount)
    const data = join(disk.path, 'data')
    const { mesh } = await start(data, processes)
    const pool = await meet(mesh.url)
    await pool.signUp(person('ann'))
    const ann = await pool.signIn(person('ann'))
    const put = (firstName: string) => ann.exchange('user.replace', { firstName, lastName: 'Lee' })
    expect((await put('Ann')).status).toBe(201)
    const met = ['ann']
    for (const round of ['ben', 'cem']) {
      await disk.fill()
      // The journal's last page has room for a few.
      for (let i = 0, full = false; !full; i++) {
        await pool.signUp(person(`${round}-${i}`)).then(
          () => met.push(`${round}-${i}`),
          () => {
            full = true
          },
        )
      }
      await disk.free()
      await vi.waitFor(() => pool.signUp(person(round)), deadline)
      met.push(round)
      await vi.waitFor(async () => expect((await put(round)).status).toBe(200), deadline)
    }
    await mesh.stop()
    const again = await meet((await start(data, processes)).mesh.url)
    for (const name of met) await again.signIn(person(name))
  },
)
