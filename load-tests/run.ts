import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { z } from 'zod'
import { startMesh } from '../deploy/embedded/mesh.ts'
import { BadFlag, type Flags, HELP, readFlags } from './flags.ts'
import { findK6, runK6 } from './k6.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const complain = (text: string): void => void process.stderr.write(`${text}\n`)

const pinnedK6 = async (): Promise<string> => {
  const text = await readFile(join(folder, '../package.json'), 'utf8')
  return z.object({ config: z.object({ k6: z.string() }) }).parse(JSON.parse(text)).config.k6
}

/** k6 resolves neither npm packages nor our contracts' imports of them: it gets one file. */
const bundle = (scenario: string, to: string) =>
  build({
    entryPoints: [join(folder, 'scenarios', `${scenario}.ts`)],
    outfile: to,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    inject: [join(folder, 'k6/url.ts')],
    external: ['k6', 'k6/*'],
    sourcemap: 'inline',
    sourcesContent: false,
    logLevel: 'error',
  })

/** @throws an error when no mesh is there */
const givenMesh = async (url: string) => {
  const answer = await fetch(new URL('/v1/config', url), { signal: AbortSignal.timeout(10_000) }).catch((error: unknown) => ({
    ok: false,
    error,
  }))
  if (!answer.ok) throw new Error(`no mesh answers at ${url}`, { cause: answer })
  return { url, stop: async () => {}, log: [] }
}

const KEPT_LINES = 30
/** A mesh of our own that keeps nothing. */
const ownMesh = async () => {
  const lines: string[] = []
  const write = (line: string) => {
    lines.push(line.trimEnd())
    if (lines.length > KEPT_LINES) lines.shift()
  }
  say('Starting a mesh that keeps nothing …')
  const { url, stop } = await startMesh({ port: 0, settings: { LOG_LEVEL: 'warn' }, logTo: { write } })
  return { url, stop, log: lines }
}

const run = async ({ scenario, url, k6, out, size }: Flags): Promise<number> => {
  const found = await findK6(k6, await pinnedK6())
  const mesh = await (url === undefined ? ownMesh() : givenMesh(url))
  const work = await mkdtemp(join(tmpdir(), 'dailygrind-load-'))
  try {
    const script = join(work, `${scenario}.js`)
    await bundle(scenario, script)
    const report = join(resolve(out), `${scenario}.html`)
    await mkdir(resolve(out), { recursive: true })
    await rm(report, { force: true })
    say(`k6 ${found.version} plays ${scenario} on ${mesh.url}; people sign up first`)
    const told = Object.entries({ BASE_URL: mesh.url, REPORT: report, ...size }).flatMap(([name, value]) => ['-e', `${name}=${value}`])
    const code = await runK6(found.path, ['run', '--no-usage-report', ...told, script])
    if (code !== 0) for (const line of mesh.log) complain(line)
    if (existsSync(report)) say(`Report: ${relative(process.cwd(), report)}`)
    else complain('No report: the scenario broke before or while it was written')
    // k6 forgives a summary that throws
    return code === 0 && !existsSync(report) ? 1 : code
  } finally {
    await mesh.stop()
    await rm(work, { recursive: true, force: true })
  }
}

const main = async (): Promise<number> => {
  const flags = readFlags(process.argv.slice(2))
  if (flags) return run(flags)
  say(HELP)
  return 0
}

// Ctrl-C reaches k6 too, which ends the run and shows what there is; then the mesh stops in order.
process.on('SIGINT', () => {})

main().then(
  code => process.exit(code),
  (error: unknown) => {
    complain(error instanceof Error ? error.message : String(error))
    if (error instanceof BadFlag) complain('\n--help shows what there is.')
    process.exit(2)
  },
)
