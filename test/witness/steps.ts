import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { environment } from '../../actors/kernel/config/config.ts'

export type Counts = { passed: number; failed: number }
export type Settings = Readonly<Record<string, string>>
type Finished = { readonly code: number; readonly printed: string }

const children = new Set<ChildProcess>()
// Who ends the whole ends what it started.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** Runs a Node script and shows what it prints. */
const runNode = (args: readonly string[], settings: Settings): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...args], { env: environment(settings), stdio: ['ignore', 'pipe', 'inherit'] })
    children.add(child)
    let printed = ''
    child.stdout.on('data', (text: Buffer) => {
      printed += text.toString()
      process.stdout.write(text)
    })
    child.once('error', reject)
    child.once('close', code => {
      children.delete(child)
      resolve({ code: code ?? 1, printed })
    })
  })

/** A script that must end well and, where it is said what, print that. */
export const step = async (
  counts: Counts,
  name: string,
  script: readonly string[],
  settings: Settings,
  expected?: RegExp,
): Promise<void> => {
  console.log(`\n-- ${name}`)
  const { code, printed } = await runNode(['--import', 'tsx', ...script], settings)
  const good = code === 0 && (expected?.test(printed) ?? true)
  if (good) counts.passed += 1
  else counts.failed += 1
  console.log(
    `-- ${name}: ${good ? 'passed' : `FAILED (exit code ${code}${code === 0 ? `, and nothing like ${expected} was printed` : ''})`}`,
  )
}

const Report = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  success: z.boolean(),
})

/** The suites; each test counts for itself. A run that failed without a test that did, or ran none, has failed. */
export const suites = async (counts: Counts, config: string, report: string, settings: Settings): Promise<void> => {
  console.log('\n-- the conformance suites')
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', config]
  const { code } = await runNode([...vitest, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`], settings)
  const { numPassedTests: passed, numFailedTests: failed } = Report.parse(JSON.parse(await readFile(report, 'utf8')))
  counts.passed += passed
  counts.failed += failed === 0 && (code !== 0 || passed === 0) ? 1 : failed
  console.log(`-- the conformance suites: ${passed} passed, ${failed} failed`)
}
