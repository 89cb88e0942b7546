import type { Channels } from './channels.ts'
import { commands } from './commands.ts'
import type { Keyspace } from './keyspace.ts'
import { encode, OK, type Reply } from './resp.ts'

/** One connection's side of the protocol: transactions, subscriptions, and what a client says before it works. */
export type Session = { execute(name: string, args: string[]): void; end(): void }

/** Where a connection's answers go; `close` after what was written. */
export type Output = { write(text: string): void; close(): void }

const INFO = [
  '# Server',
  'redis_version:7.0.0',
  'redis_mode:standalone',
  '# Persistence',
  'loading:0',
  '# Replication',
  'role:master',
  '',
].join('\r\n')

const WHILE_SUBSCRIBED = new Set(['subscribe', 'unsubscribe', 'ping', 'quit'])
const NOT_QUEUED = new Set(['multi', 'exec', 'discard', 'quit', 'subscribe', 'unsubscribe'])

const wrongArity = (name: string): Reply => ({ failure: `ERR wrong number of arguments for '${name}' command` })

export function openSession(keys: Keyspace, channels: Channels<Output>, output: Output): Session {
  let queue: { name: string; args: string[] }[] | undefined
  let broken = false
  let clientName = ''

  const own: Record<string, (args: string[]) => Reply | undefined> = {
    ping: ([text]) => (channels.count(output) > 0 ? ['pong', text ?? ''] : (text ?? { status: 'PONG' })),
    // Version 3 would change replies and pushes; clients fall back to 2.
    hello: ([version]) => {
      if (version !== undefined && version !== '2') return { failure: 'NOPROTO unsupported protocol version' }
      return ['server', 'redis', 'version', '7.0.0', 'proto', 2, 'mode', 'standalone', 'role', 'master', 'modules', []]
    },
    auth: args => (args.length === 2 ? OK : { failure: 'ERR AUTH <password> called without any password configured for the default user' }),
    client: ([what = '', ...rest]) => client(what.toLowerCase(), rest),
    info: () => INFO,
    select: ([index]) => (index === '0' ? OK : { failure: 'ERR DB index is out of range' }),
    config: ([what, name]) => {
      if (what?.toLowerCase() !== 'get') return { failure: `ERR unknown subcommand '${what}'` }
      return name?.toLowerCase() === 'maxmemory-policy' ? ['maxmemory-policy', 'noeviction'] : []
    },
    publish: args => (args.length === 2 ? publish(args[0] ?? '', args[1] ?? '') : wrongArity('publish')),
    subscribe(names) {
      if (names.length === 0) return wrongArity('subscribe')
      for (const name of names) output.write(encode(['subscribe', name, channels.add(output, name)]))
      return undefined
    },
    unsubscribe(names) {
      const leaving = names.length > 0 ? names : channels.of(output)
      if (leaving.length === 0) return ['unsubscribe', null, 0]
      for (const name of leaving) output.write(encode(['unsubscribe', name, channels.remove(output, name)]))
      return undefined
    },
    multi() {
      if (queue !== undefined) return { failure: 'ERR MULTI calls can not be nested' }
      queue = []
      broken = false
      return OK
    },
    exec() {
      const queued = queue
      queue = undefined
      if (queued === undefined) return { failure: 'ERR EXEC without MULTI' }
      if (broken) return { failure: 'EXECABORT Transaction discarded because of previous errors.' }
      return queued.map(({ name, args }) => run(name, args) ?? null)
    },
    discard() {
      if (queue === undefined) return { failure: 'ERR DISCARD without MULTI' }
      queue = undefined
      return OK
    },
    quit() {
      output.write(encode(OK))
      output.close()
      return undefined
    },
  }

  const client = (what: string, [value = '']: string[]): Reply => {
    if (what === 'setname') clientName = value
    if (what === 'setname' || what === 'setinfo') return OK
    return what === 'getname' ? clientName : { failure: `ERR unknown subcommand '${what}'` }
  }

  const publish = (channel: string, message: string): number => {
    const listeners = channels.listeners(channel)
    const text = listeners.size > 0 ? encode(['message', channel, message]) : ''
    for (const listener of listeners) listener.write(text)
    return listeners.size
  }

  /** Undefined when the command wrote its answers itself. */
  const run = (name: string, args: string[]): Reply | undefined => {
    const command = commands.get(name)
    return command === undefined ? own[name]?.(args) : command.run(keys, args)
  }

  const refusal = (given: string, name: string, args: string[]): Reply | undefined => {
    const command = commands.get(name)
    if (command === undefined && !Object.hasOwn(own, name)) {
      return { failure: `ERR unknown command '${given}', with args beginning with: ${args.map(arg => `'${arg.slice(0, 128)}' `).join('')}` }
    }
    if (command !== undefined && (args.length < command.least || args.length > command.most)) return wrongArity(name)
    return undefined
  }

  return {
    execute(given, args) {
      const name = given.toLowerCase()
      const refused = refusal(given, name, args)
      if (refused !== undefined) {
        broken = true
        return output.write(encode(refused))
      }
      if (channels.count(output) > 0 && !WHILE_SUBSCRIBED.has(name)) {
        const failure = `ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`
        return output.write(encode({ failure }))
      }
      if (queue !== undefined && !NOT_QUEUED.has(name)) {
        queue.push({ name, args })
        return output.write(encode({ status: 'QUEUED' }))
      }
      const reply = run(name, args)
      if (reply !== undefined) output.write(encode(reply))
    },
    end() {
      for (const channel of channels.of(output)) channels.remove(output, channel)
    },
  }
}
