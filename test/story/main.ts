import { parseArgs } from 'node:util'
import { errorMessage } from '../../actors/kernel/ports/errors/error-message.ts'
import { meetCounting } from './counting.ts'
import { playDay } from './day.ts'
import { playKills, processNamed } from './kills.ts'
import { openStage } from './stage.ts'
import { teller } from './teller.ts'

const HELP = `Plays the product against a running mesh and tells what happens.

  npm run story -- [flags]

  --url URL         a mesh that runs; without it, and without --data, one is started that keeps nothing
  --data DIR        the data directory of a mesh that runs: its address, its traces, its processes
  --operations URL  where the traces of the mesh at --url are
  --kill NAME       kill -9 a process of the mesh (posts, users, timelines, edge) in the middle of the work, and show that nothing was lost or doubled;
                    the mesh must run with --processes
  --help            this

The exit code is 0 when everything was as it must be, 1 when something was not, 2 when the story could not be played.
`

const flags = () => {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      data: { type: 'string' },
      operations: { type: 'string' },
      kill: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.kill === 'engines')
    throw new Error(
      '--kill engines: the embedded queues live in memory, so what was queued is lost with them; every other process may be killed',
    )
  return values
}

const main = async (): Promise<number> => {
  const { help, kill, ...where } = flags()
  if (help) {
    process.stdout.write(HELP)
    return 0
  }
  // Who listened has gone, as `head` does: the story is played to its end all the same.
  process.stdout.on('error', () => {})
  const told = teller(process.stdout)
  told.plain(where.url || where.data ? 'The story is played on a mesh that runs.' : 'Starting a mesh to play on …')
  const stage = await openStage({ ...where, processes: kill !== undefined })
  try {
    told.tell(`The mesh is at ${stage.url}`)
    const { mesh, counts } = await meetCounting(stage.url)
    if (kill !== undefined) await processNamed(stage, kill)
    try {
      if (kill === undefined) await playDay(mesh, stage, told)
      else await playKills(mesh, stage, kill, counts, told)
    } catch (error) {
      told.plain(told.red(`The story broke off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`))
      for (const line of stage.log()) told.plain(told.dim(line))
      return 1
    }
    return told.end() ? 0 : 1
  } finally {
    await stage.close()
  }
}

main().then(
  code => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`The story cannot be played: ${errorMessage(error)}\n`)
    process.exit(2)
  },
)
