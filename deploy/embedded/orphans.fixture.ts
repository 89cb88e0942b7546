import { pino } from 'pino'
import { ownModule } from '../emulators/module.ts'
import { type Supervised, supervise } from './supervisor.ts'

/*
 * A parent with two children, for the test that kills it: `<journal>`. Prints their ids as JSON once both are ready.
 */
const [, , journal = ''] = process.argv
const begin = (name: string, behaviour: string): Supervised =>
  supervise({
    name,
    ...ownModule('./supervisor.fixture', import.meta.url),
    args: [name, journal, behaviour],
    settings: async () => ({}),
    log: pino({ level: 'silent' }),
    line: () => {},
    changed: () => {},
  })

const engines = begin('engines', 'last')
const edge = begin('edge', '')
await Promise.all([engines.ready, edge.ready])
const pids = [engines, edge].map(p => p.state().pid ?? 0)
engines.tellPeers(pids.slice(1))
process.stdout.write(`${JSON.stringify(pids)}\n`)
