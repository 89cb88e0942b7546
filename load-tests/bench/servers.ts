import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { chooseServer, type ServerName } from '../../edge/server/choose.ts'
import type { Usage } from './server.fixture.ts'

/**
 * `npm run bench`: what a request and a socket cost on uWebSockets.js and on node:http. A machine that others use, too, says little about absolute numbers;
 * so each pair runs one right after the other, in turn, and what counts is the median of the pairs' ratios. A request's cost is the CPU of the server's
 * process alone. Everything is on loopback.
 */

const PAIRS = 5
const REQUESTS = 10_000
const WARM_UP = 3_000
const CONNECTIONS = 50
const SOCKETS = 1_000
/** What the first sockets take belongs to all of them. */
const FIRST_SOCKETS = 100
/** For one server: it is ended then, and the run fails. */
const DEADLINE_MS = 120_000

const GET = 'GET /v1/posts/1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\naccept: application/json\r\n\r\n'
const OPENING =
  'GET /v1/stream HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
const ANSWER_END = Buffer.from('"}')
const HELLO_END = Buffer.from('hello"}')

type Cost = { readonly requestsPerCpuSecond: number; readonly bytesPerSocket: number }

const usageOf = async (child: ChildProcess): Promise<Usage> => {
  const said = once(child, 'message')
  child.send('usage')
  const [usage]: Usage[] = await said
  if (!usage) throw new Error('the server told no usage')
  return usage
}
const connected = async (port: number): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  // A reset closes it, which whoever waits for an answer notices.
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}
/** Says something and waits until what comes back ends as it should. */
const exchange = (socket: Socket, said: string, end: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      socket.off('data', hear).off('close', closed)
      if (error) reject(error)
      else resolve()
    }
    const closed = () => settle(new Error('the server ended the connection'))
    const hear = (chunk: Buffer) => {
      if (chunk.subarray(-end.length).equals(end)) settle()
    }
    socket.on('data', hear).on('close', closed)
    socket.write(said)
  })

/** So many requests over all the connections, each of which sends its next when it has its answer. */
const requestAll = async (sockets: readonly Socket[], count: number): Promise<void> => {
  let left = count
  await Promise.all(
    sockets.map(async socket => {
      while (left-- > 0) await exchange(socket, GET, ANSWER_END)
    }),
  )
}

const costOf = async (server: ServerName): Promise<Cost> => {
  const child = fork(fileURLToPath(new URL('./server.fixture.ts', import.meta.url)), [server], {
    execArgv: ['--expose-gc', '--import', 'tsx'],
  })
  const overdue = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS)
  const sockets: Socket[] = []
  try {
    const [port] = await once(child, 'message')
    const open = async (count: number) => {
      const opened = await Promise.all(Array.from({ length: count }, () => connected(Number(port))))
      sockets.push(...opened)
      return opened
    }
    const openIdle = async (count: number) => {
      const opened = await open(count)
      await Promise.all(opened.map(socket => exchange(socket, OPENING, HELLO_END)))
    }
    // Sockets go first: later, they would lie in memory that requests have left.
    await openIdle(FIRST_SOCKETS)
    const empty = await usageOf(child)
    await openIdle(SOCKETS)
    const full = await usageOf(child)
    for (const socket of sockets) socket.destroy()
    const callers = await open(CONNECTIONS)
    await requestAll(callers, WARM_UP)
    const before = await usageOf(child)
    await requestAll(callers, REQUESTS)
    const after = await usageOf(child)
    return {
      requestsPerCpuSecond: (REQUESTS * 1000) / (after.cpuMs - before.cpuMs),
      bytesPerSocket: (full.rssBytes - empty.rssBytes) / SOCKETS,
    }
  } finally {
    clearTimeout(overdue)
    for (const socket of sockets) socket.destroy()
    if (child.connected) {
      child.disconnect()
      await once(child, 'exit')
    }
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const say = (text: string): void => void process.stdout.write(`${text}\n`)

const { name, why } = await chooseServer(undefined)
if (name !== 'uws') {
  say(`There is nothing to compare: ${why}`)
  process.exit(2)
}
say(`pair   requests a CPU second            memory a socket\n       uWebSockets.js   node:http  ratio   uWebSockets.js   node:http  ratio`)
const ratios: { readonly requests: number; readonly memory: number }[] = []
const column = (value: number, width: number): string => String(Math.round(value)).padStart(width)
const kib = (bytes: number, width: number): string => `${(bytes / 1024).toFixed(1)} KiB`.padStart(width)
for (let pair = 1; pair <= PAIRS; pair++) {
  const order: readonly ServerName[] = pair % 2 ? ['uws', 'node'] : ['node', 'uws']
  const costs = new Map<ServerName, Cost>()
  for (const server of order) costs.set(server, await costOf(server))
  const [uws, node] = [costs.get('uws'), costs.get('node')]
  if (!uws || !node) continue
  const ratio = { requests: uws.requestsPerCpuSecond / node.requestsPerCpuSecond, memory: node.bytesPerSocket / uws.bytesPerSocket }
  ratios.push(ratio)
  say(
    `${String(pair).padStart(4)}   ${column(uws.requestsPerCpuSecond, 14)} ${column(node.requestsPerCpuSecond, 11)} ${ratio.requests.toFixed(1).padStart(6)}   ${kib(uws.bytesPerSocket, 14)} ${kib(node.bytesPerSocket, 11)} ${ratio.memory.toFixed(1).padStart(6)}`,
  )
}
say(
  `\nMedians of ${PAIRS} pairs: uWebSockets.js answers ${median(ratios.map(r => r.requests)).toFixed(1)} times as many requests with the same CPU, and node:http takes ${median(ratios.map(r => r.memory)).toFixed(1)} times as much memory a socket.`,
)
