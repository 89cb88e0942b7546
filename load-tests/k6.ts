import { spawn } from 'node:child_process'
import { constants, homedir } from 'node:os'
import { join } from 'node:path'

const output = (command: string, args: readonly string[]): Promise<string | undefined> =>
  new Promise(resolve => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] })
    let text = ''
    child.stdout.on('data', chunk => {
      text += chunk
    })
    child.on('error', () => resolve(undefined))
    child.on('close', code => resolve(code === 0 ? text : undefined))
  })

const howTo = (version: string): string => `Install it with Go 1.25 or later:

  go install go.k6.io/k6@${version}

or as https://grafana.com/docs/k6/latest/set-up/install-k6/ says; or name it: --k6 PATH.`

/**
 * Finds k6: the one that is named, else the PATH's, else that of Go's usual bin folder.
 * @param pinned the version to advise @throws an error that says how to install it
 */
export const findK6 = async (named: string | undefined, pinned: string): Promise<{ path: string; version: string }> => {
  for (const path of named === undefined ? ['k6', join(homedir(), 'go/bin/k6')] : [named]) {
    const version = /^k6(?:\.exe)? v(\d+\.\S+)/.exec((await output(path, ['version'])) ?? '')?.[1]
    if (version === undefined) continue
    if (Number.parseInt(version, 10) < 1) throw new Error(`${path} is k6 ${version}, too old: 1.0 is needed. ${howTo(pinned)}`)
    return { path, version }
  }
  throw new Error(`${named === undefined ? 'k6 is not here: neither on the PATH nor in Go’s bin.' : `${named} is no k6.`} ${howTo(pinned)}`)
}

/** Runs k6 in this terminal. @returns its exit code */
export const runK6 = (path: string, args: readonly string[]): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(path, args, { stdio: 'inherit' })
    // a terminal's Ctrl-C goes to k6 itself; what asks us to end asks nobody else
    const end = () => child.kill('SIGINT')
    process.on('SIGTERM', end)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      process.off('SIGTERM', end)
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
    })
  })
