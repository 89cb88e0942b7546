import { parseArgs } from 'node:util'

export type Flags = {
  readonly port: number | undefined
  /** undefined: nothing is kept. */
  readonly data: string | undefined
  readonly processes: boolean
  /** Process name -> what its first incarnation gets as FAILPOINTS. */
  readonly failpoints: Readonly<Record<string, string>>
  readonly help: boolean
}

/** A flag that is wrong; the message names it. */
export class BadFlag extends Error {
  override readonly name = 'BadFlag'
}

export const HELP = `Daily Grind on one machine: the edge, the actors and every engine that they stand on, on loopback.

  npm start -- [flags]

  --port N         where the API is (default 3000, or PORT); 0 takes a free one
  --data DIR       where everything is kept (default .data)
  --ephemeral      keep nothing
  --processes      the engines, the edge and each actor as processes of their own
  --failpoints P   with --processes, for tests: faults in the incarnations of a process, as posts:after-commit=kill@3;before-ack=kill
  --help           this

The environment sets the rest, LOG_LEVEL for example: actors/kernel/config/config.ts lists it. A flag wins over its variable.
`

/** @param names the processes that failpoints may be for. @throws BadFlag */
export const readFlags = (args: readonly string[], names: readonly string[]): Flags => {
  const { values } = parsed(args)
  if (values.ephemeral && values.data !== undefined) throw new BadFlag('--ephemeral keeps nothing: it does not go with --data')
  if (values.data === '') throw new BadFlag('--data takes a directory')
  if (values.failpoints && !values.processes) throw new BadFlag('--failpoints needs --processes: a kill would end everything')
  return {
    port: values.port === undefined ? undefined : port(values.port),
    data: values.ephemeral ? undefined : (values.data ?? '.data'),
    processes: values.processes ?? false,
    failpoints: Object.fromEntries((values.failpoints ?? []).map(text => failpoint(text, names))),
    help: values.help ?? false,
  }
}

const parsed = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        data: { type: 'string' },
        ephemeral: { type: 'boolean' },
        processes: { type: 'boolean' },
        failpoints: { type: 'string', multiple: true },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    // Node's message goes on about positional arguments, which there are none of.
    throw new BadFlag(error instanceof Error ? (error.message.split(/[.\n]/)[0] ?? error.message) : String(error))
  }
}

const port = (text: string): number => {
  const n = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(n <= 65_535)) throw new BadFlag(`--port takes 0 to 65535, not ${JSON.stringify(text)}`)
  return n
}

const failpoint = (text: string, names: readonly string[]): [string, string] => {
  const [, name = '', points = ''] = /^([^:]*):(.+)$/.exec(text) ?? []
  if (!names.includes(name) || points === '')
    throw new BadFlag(`--failpoints takes <process>:<failpoints>, a process of ${names.join(', ')}, not ${JSON.stringify(text)}`)
  return [name, points]
}
