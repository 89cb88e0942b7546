import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { environment } from '../../../actors/kernel/config/config.ts'
import { freePort } from '../../../actors/kernel/process/free-port.ts'
import { meet } from '../../../contracts/client/client.ts'
import { servicesOf } from '../../docker/compose.ts'
import { type RunningMesh, startMesh } from '../../embedded/mesh.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let mesh: RunningMesh | undefined
let standIn: ChildProcess | undefined
afterEach(async () => {
  standIn?.kill('SIGKILL')
  await mesh?.stop()
})

test('people sign up at compose’s stand-in for Cognito, and its edge knows them', async () => {
  const port = await freePort()
  const { edge, cognito } = servicesOf(await readFile(fileURLToPath(new URL('../../../compose.yaml', import.meta.url)), 'utf8'))
  const pool = Object.entries({ ...edge?.environment }).filter(([name]) => name.startsWith('COGNITO_'))
  const [main = '', ...args] = cognito?.command ?? []
  expect(args).toEqual(['/data'])
  mesh = await startMesh({
    port: 0,
    settings: { ...Object.fromEntries(pool), COGNITO_ENDPOINT: `http://127.0.0.1:${port}`, LOG_LEVEL: 'warn' },
    logTo: { write: () => {} },
  })
  standIn = spawn(process.execPath, ['--import', 'tsx', main], {
    cwd: fileURLToPath(new URL('../../../', import.meta.url)),
    env: environment({ ...mesh.engines, PORT: String(port), LOG_LEVEL: 'warn' }),
    stdio: 'inherit',
  })
  const there = () => fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(2_000) })
  await vi.waitFor(there, { timeout: 60_000, interval: 50 })

  const { signUp, signIn } = await meet(mesh.url)
  const ann = { email: 'ann@example.org', password: 'correct horse battery' }
  await signUp(ann)
  const client = await signIn(ann)
  await client.send('user.replace', { firstName: 'Ann', lastName: 'Lee' })
  // Registered through the mailbox, besides.
  await vi.waitFor(async () => expect(await client.ask('user.me', {})).toMatchObject({ firstName: 'Ann', email: ann.email }), {
    timeout: 20_000,
    interval: 50,
  })

  const exit = once(standIn, 'exit')
  standIn.kill('SIGTERM')
  expect(await exit).toEqual([0, null])
})

test('with NODE_ENV=production it refuses', async () => {
  const refused = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('./main.ts', import.meta.url))], {
    env: environment({ NODE_ENV: 'production', PORT: '0' }),
  })
  let said = ''
  for (const stream of [refused.stdout, refused.stderr])
    stream.on('data', chunk => {
      said += chunk
    })
  expect(await once(refused, 'exit')).toEqual([1, null])
  expect(said).toContain('a key that everybody knows')
})
