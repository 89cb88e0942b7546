import { environment, readConfig } from '../../actors/kernel/config/config.ts'
import { startOperations } from '../../actors/kernel/process/admin-server.ts'
import { mesh } from '../../contracts/mesh.ts'
import { ownModule } from '../emulators/module.ts'
import { familyOperations } from './family-operations.ts'
import { passLine } from './logs.ts'
import { processNames } from './names.ts'
import { type Running, type RunOptions, STOPPING } from './running.ts'
import { settleAll } from './settle.ts'
import { stack } from './stack.ts'
import { type Info, type Supervised, supervise } from './supervisor.ts'

/** Beyond what a process gets to stop by itself, for the kill that follows. */
const KILL_MS = 500

/** Engines, edge and each actor as a process of its own, started again whenever one ends. */
export const runInManyProcesses = async ({
  settings,
  data,
  log,
  logTo,
  progress,
  changed,
  failpoints,
  steps,
  trouble,
}: RunOptions): Promise<Running> => {
  const config = readConfig(environment(settings), mesh)
  const family: Supervised[] = []
  const named = (name: string): Supervised | undefined => family.find(p => p.name === name)
  const infoOf = (name: string): Info => named(name)?.state().info ?? {}
  const line = passLine(logTo, log)

  const begin = (name: string, path: string, args: readonly string[], own: () => Promise<Readonly<Record<string, string>>>): Supervised => {
    const one = supervise({
      name,
      ...ownModule(path, import.meta.url),
      args,
      settings: async incarnation => ({
        ...settings,
        // The set one is this process's, which shows them all.
        OPERATIONS_PORT: '0',
        ...(failpoints[name] === undefined ? {} : { FAILPOINTS: failpoints[name].split(';')[incarnation] ?? '' }),
        ...(await own()),
      }),
      log,
      line,
      changed: () => {
        // Who needs the engines ends before them, also when this process is gone.
        named('engines')?.tellPeers(family.flatMap(p => (p.name === 'engines' ? [] : (p.state().pid ?? []))))
        changed()
      },
    })
    family.push(one)
    return one
  }

  const started = stack(log)
  const stopping = (what: string, ms: number, processes: readonly Supervised[]) =>
    started.push(what, ms + KILL_MS, () => Promise.all(processes.map(p => p.stop(ms))))
  try {
    // All at once: they load while the engines start.
    progress(`processes: ${processNames.join(', ')}`)
    // The ports of the incarnation before: the others know no new ones.
    const engines = begin('engines', './engines-main', [], async () => ({
      ENGINE_DATA: data,
      ENGINE_PORTS: infoOf('engines').ENGINE_PORTS ?? '{}',
    }))
    stopping('the engines', STOPPING.engines, [engines])
    const located = () => engines.ready.then(({ operations: _, ENGINE_PORTS: __, ...where }) => where)

    const workers = mesh.actors.map(({ name }) => begin(name, '../../actors/main', [name], located))
    stopping('the actors', STOPPING.actors, workers)
    started.push('messages under way', STOPPING.messages + 1_000, async () =>
      settleAll(infoOf('engines').AWS_ENDPOINT_URL_SQS, config.PREFIX, STOPPING.messages, log),
    )
    const edge = begin('edge', '../../edge/main', [], async () => {
      const { url } = infoOf('edge')
      return { ...(await located()), ...(url === undefined ? {} : { PORT: new URL(url).port }) }
    })
    stopping('the edge', STOPPING.edge, [edge])

    await Promise.all(family.map(p => steps.take(`the process ${p.name}`, () => p.ready).then(() => progress(`${p.name} is up`))))
    const operations = await startOperations({
      title: mesh.title,
      port: config.OPERATIONS_PORT,
      host: config.HOST,
      ...familyOperations(family, trouble),
    })
    started.push('operations', KILL_MS, operations.close)
    const { url = '', stream = '', server = '', serverWhy = '' } = await edge.ready
    return {
      url,
      stream,
      operations: operations.url,
      server: { name: server, why: serverWhy },
      engines: await located(),
      processes: () =>
        family.flatMap(p => {
          const { pid, restarts } = p.state()
          return pid === undefined ? [] : [{ name: p.name, pid, restarts }]
        }),
      stop: started.unwind,
      kill: () =>
        family.forEach(p => {
          p.kill()
        }),
    }
  } catch (error) {
    await started.unwind()
    throw error
  }
}
