import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { errorMessage } from '../../actors/kernel/ports/errors/error-message.ts'
import { startMiniStack } from './ministack.ts'
import { findPython } from './python.ts'
import { type Counts, step, suites } from './steps.ts'

const HELP = `Holds the mesh to an AWS that is not ours: MiniStack, installed for this run, with signatures and policies checked.

  npm run witness -- [flags]

  --counts FILE    writes how many passed and failed, as two numbers
  --help           this

It needs Python 3.10 or later that can make environments, and a package index for pip. The exit code is 0 when all passed, 1 when not, 3 when there is no
such Python.
`
const SKIPPED = 3
const UNCHANGED = /^0 created, 0 changed, 0 removed, [1-9]\d* kept$/m

const main = async (): Promise<number> => {
  const { values } = parseArgs({ options: { counts: { type: 'string' }, help: { type: 'boolean', short: 'h' } } })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const python = await findPython()
  if ('missing' in python) {
    console.log(`SKIPPED: the witness: it needs Python 3.10 or later with venv, and there is none: ${python.missing}`)
    return SKIPPED
  }
  process.chdir(fileURLToPath(new URL('../../', import.meta.url)))
  const began = performance.now()
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`
  console.log(`Installing MiniStack with ${python.program} ${python.version} …`)
  const ministack = await startMiniStack(python.program)
  const counts: Counts = { passed: 0, failed: 0 }
  try {
    const { settings, directory } = ministack
    console.log(`MiniStack, process ${ministack.pid}, is at ${settings.AWS_ENDPOINT_URL} after ${seconds()}`)
    const development = { ...settings, NODE_ENV: 'development', PREFIX: 'witness-' }
    const production = { ...development, NODE_ENV: 'production' }
    const provision = ['deploy/provision/main.ts']
    await step(counts, 'provisioning', provision, development, /^[1-9]\d* created, 0 changed, 0 removed, 0 kept$/m)
    await step(counts, 'provisioning again changes nothing', provision, development, UNCHANGED)
    await step(counts, 'provisioning for production adds recovery', provision, production, /point-in-time recovery/)
    await step(counts, '… and again changes nothing', provision, production, UNCHANGED)
    await suites(counts, 'test/witness/vitest.config.ts', join(directory, 'vitest.json'), settings)
    const story = ['test/story/main.ts', '--kill', 'posts']
    await step(counts, 'the story, with posts killed', story, { ...settings, PREFIX: 'story-' }, /All is well/)
  } finally {
    ministack.close()
  }
  if (values.counts !== undefined) await writeFile(values.counts, `${counts.passed} ${counts.failed}\n`)
  console.log(`\nThe witness, in ${seconds()}: ${counts.passed} passed, ${counts.failed} failed`)
  return counts.failed === 0 ? 0 : 1
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))

main().then(
  code => process.exit(code),
  (error: unknown) => {
    console.error(`The witness cannot be heard: ${errorMessage(error)}`)
    process.exit(1)
  },
)
