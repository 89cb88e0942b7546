import { environment, readConfig } from '../../actors/kernel/config/config.ts'
import { errorMessage } from '../../actors/kernel/ports/errors/error-message.ts'
import { mesh } from '../../contracts/mesh.ts'
import { banner } from './banner.ts'
import { BadFlag, type Flags, HELP, readFlags } from './flags.ts'
import { output } from './logs.ts'
import { type RunningMesh, startMesh } from './mesh.ts'
import { processNames } from './names.ts'
import { createSteps, Interrupted, PROCESS_MS, STEP_MS } from './steps.ts'

/** Longer than all parts may take to stop. */
const STOP_MS = 12_000
/** How long a call of the file system may take after the start was given up, before it counts as one that never returns. */
const DISK_TIMEOUT_MS = 2_000
/** One Ctrl-C comes twice below `npm start`: from the terminal, which tells its whole group, and from npm, which hands it on. */
const SAME_SIGNAL_MS = 1_000

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const complain = (text: string): void => void process.stderr.write(`${text}\n`)

const flagsOrExit = (): { readonly flags: Flags; readonly ownJobs: boolean } => {
  try {
    const flags = readFlags(process.argv.slice(2), processNames)
    const { JOBS_URL } = readConfig(environment({}), mesh)
    return { flags, ownJobs: JOBS_URL !== undefined }
  } catch (error) {
    complain(errorMessage(error))
    if (error instanceof BadFlag) complain('\n--help shows what there is.')
    process.exit(2)
  }
}

const main = async (): Promise<void> => {
  const { flags, ownJobs } = flagsOrExit()
  if (flags.help) return say(HELP)
  process.title = 'dailygrind'
  // A terminal that is closed takes nothing any more; the mesh still stops in order.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})

  let mesh: RunningMesh | undefined
  let signals = 0
  let last = { signal: '', at: 0 }
  const calledOff = new AbortController()
  const steps = createSteps({ signal: calledOff.signal, withinMs: flags.processes ? PROCESS_MS : STEP_MS })
  const leave = (code: number): never => {
    // A call of the system that never returns would keep the process from its end.
    if (steps.hangs()) process.kill(process.pid, 'SIGKILL')
    return process.exit(code)
  }
  const stop = async (): Promise<void> => {
    setTimeout(() => force('The mesh does not stop'), STOP_MS).unref()
    if (!mesh) return calledOff.abort()
    const lost = mesh.trouble()
    await mesh.stop()
    if (lost !== undefined) complain(lost)
    say('Stopped.')
    leave(lost === undefined ? 0 : 1)
  }
  const force = (why: string): never => {
    complain(`${why}: ended by force.`)
    mesh?.kill()
    return leave(signals > 1 ? 130 : 1)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      const now = performance.now()
      if (signal === last.signal && now - last.at < SAME_SIGNAL_MS) return
      last = { signal, at: now }
      signals += 1
      if (signals > 1) force(`A second ${signal}`)
      say('\nStopping; once more stops by force.')
      void stop()
    })

  const elapsed = (): string => `${(performance.now() / 1000).toFixed(1).padStart(5)} s`
  const { help: _, ...options } = flags
  try {
    mesh = await startMesh({
      ...options,
      logTo: output(process.stdout.isTTY),
      progress: text => say(`${elapsed()}  ${text}`),
      steps,
    })
  } catch (error) {
    // What is under way on the disk is let end, and undone.
    await steps.diskEnds(DISK_TIMEOUT_MS)
    if (signals > 0 && error instanceof Interrupted) {
      say('Stopped.')
      leave(0)
    }
    complain(`Daily Grind cannot start: ${errorMessage(error)}`)
    leave(1)
    return
  }
  if (signals > 0) return stop()
  say(`\n${banner({ ...mesh, ownJobs, data: flags.data, processes: mesh.pids(), tookMs: performance.now() })}`)
}

main().catch((error: unknown) => {
  complain(`Daily Grind cannot start: ${errorMessage(error)}`)
  process.exit(1)
})
