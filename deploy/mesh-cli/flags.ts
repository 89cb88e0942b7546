import { parseArgs } from 'node:util'

const commandNames = ['status', 'trace', 'dead', 'show', 'redrive', 'watch'] as const
type CommandName = (typeof commandNames)[number]

export type Flags = {
  readonly command: CommandName | 'help'
  /** What the command is about: a request, an id, an actor. */
  readonly subject: string | undefined
  readonly where: Where
  readonly dryRun: boolean
  readonly all: boolean
}
/** `data`: undefined when none was named. */
export type Where = { readonly data: string | undefined; readonly aws: boolean; readonly operations: readonly string[] }

/** What the operator asked for cannot be done as asked; the message says what to do. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

export const HELP = `What goes on in a mesh, and what to do about it.

  npm run mesh -- <command> [flags]

  status                    every queue, process, table and engine; the exit code is 1 when something is wrong
  trace <request id>        what a sampled request set off, with engine requests and milliseconds
  dead [actor]              the dead letters of all queues, or of an actor's (posts), or of one queue (posts-events);
                            and, of push, the deliveries that were given up in the last week
  show <id>                 one dead letter or delivery: its body, why it died, its operation, its claim, the state of its key. Shows personal data
  redrive <id> [--dry-run]  sends a dead letter back to its queue, and says what became of it
  redrive --all <actor>     the same with all dead letters of an actor, or of one queue
  watch                     all of it, every second; q leaves

  --data DIR        the data directory of an embedded mesh (default .data)
  --aws             the engines that the environment names: AWS_REGION, AWS_ENDPOINT_URL*, PREFIX, REDIS_URL and the SDK's credentials
  --operations URL  where metrics and health of a process are; once for each process
  --help            this

Exit codes: 0 all is well or done, 1 something is wrong, 2 it could not be found out.
While dead letters are looked at nobody else sees them; one whose reader is killed is back after 30 s.
`

/** @throws Refused naming what is wrong */
export const readFlags = (args: readonly string[]): Flags => {
  const { values, positionals } = parsed(args)
  const [name, subject, ...more] = positionals
  const where = { data: values.data, aws: values.aws ?? false, operations: (values.operations ?? []).map(address) }
  const flags = { subject, where, dryRun: values['dry-run'] ?? false, all: values.all ?? false }
  if (values.help || name === undefined || name === 'help') return { ...flags, command: 'help' }
  const command = commandNames.find(c => c === name)
  if (command === undefined) throw new Refused(`there is no command ${JSON.stringify(name)}: it is one of ${commandNames.join(', ')}`)
  if (more.length > 0) throw new Refused(`${command} takes one argument, and ${JSON.stringify(more[0])} is a second`)
  if (values.data === '') throw new Refused('--data takes a directory')
  if (where.aws && values.data !== undefined) throw new Refused('--aws and --data are different meshes: name one')
  if (command !== 'redrive' && (flags.dryRun || flags.all)) throw new Refused('--dry-run and --all belong to redrive')
  const needed = { trace: 'a request id', show: 'the id of a dead letter', redrive: 'the id of a dead letter, or --all <actor>' }
  if (subject === undefined && command in needed) throw new Refused(`${command} takes ${needed[command as keyof typeof needed]}`)
  if (subject !== undefined && (command === 'status' || command === 'watch')) throw new Refused(`${command} takes no argument`)
  return { ...flags, command }
}

const parsed = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        data: { type: 'string' },
        aws: { type: 'boolean' },
        operations: { type: 'string', multiple: true },
        'dry-run': { type: 'boolean' },
        all: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new Refused(error instanceof Error ? (error.message.split(/[.\n]/)[0] ?? error.message) : String(error))
  }
}

const address = (text: string): string => {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new Refused(`--operations takes an address as http://127.0.0.1:9464, not ${JSON.stringify(text)}`)
  return text.replace(/\/+$/, '')
}
