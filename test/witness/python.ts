import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'] as const
/** Of MiniStack. */
const OLDEST = [3, 10] as const
const ASK = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])'

/** A Python that can make an environment, or why there is none. */
export type Python = { readonly program: string; readonly version: string } | { readonly missing: string }

const look = async (program: string): Promise<Python> => {
  try {
    const { stdout } = await run(program, ['-c', ASK], { timeout: 20_000 })
    const version = stdout.trim()
    const [major = 0, minor = 0] = version.split('.').map(Number)
    const fits = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
    return fits ? { program, version } : { missing: `${program} is ${version}, older than ${OLDEST.join('.')}` }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const absent = 'code' in error && error.code === 'ENOENT'
    return { missing: absent ? `no ${program}` : `${program}: ${error.message.trim().split('\n').at(-1)}` }
  }
}

/** The first that fits. */
export const findPython = async (): Promise<Python> => {
  const reasons: string[] = []
  for (const candidate of CANDIDATES) {
    const python = await look(candidate)
    if ('program' in python) return python
    reasons.push(python.missing)
  }
  return { missing: reasons.join('; ') }
}
