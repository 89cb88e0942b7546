import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { turnedAway, whyTurnedAway } from '../callers.ts'
import type { Operation } from './actions.ts'
import { isRefusal } from './errors.ts'

const MAX_REQUEST_BYTES = 16 * 1024 * 1024
/** Above what clients keep idle sockets for, so that it is the client that closes them: a socket closed by us just as a request comes in costs a retry. */
const KEEP_ALIVE_MS = 75_000
/** How long a client may take to finish sending or reading once the server is closing. */
const LAST_BYTES_MS = 1_000

export interface Wire {
  server: Server
  /** Answers what has been asked and closes every connection, idle ones at once. */
  close(): Promise<void>
}

/** DynamoDB's protocol (AWS JSON 1.0): one POST an operation, named by the header `X-Amz-Target`. Signatures are not looked at. */
export function createWire(operations: ReadonlyMap<string, Operation>): Wire {
  const working = new Set<Promise<void>>()
  let closing = false
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = await handle(request, operations)
    if (!answer) return
    // A busy client would keep its connection, and us, for ever.
    if (closing) response.setHeader('Connection', 'close')
    await send(response, ...answer)
  }
  const server = createServer((request, response) => {
    const work = serve(request, response).finally(() => working.delete(work))
    working.add(work)
  })
  server.keepAliveTimeout = KEEP_ALIVE_MS
  return {
    server,
    async close() {
      closing = true
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      const slow = setTimeout(() => server.closeAllConnections(), LAST_BYTES_MS)
      while (working.size > 0) await Promise.all(working)
      clearTimeout(slow)
      server.closeAllConnections()
      await closed
    },
  }
}

type HttpAnswer = [status: number, body: object]

/** Undefined when the client left before it had asked. */
async function handle(request: IncomingMessage, operations: ReadonlyMap<string, Operation>): Promise<HttpAnswer | undefined> {
  const why = whyTurnedAway(request.headers)
  const body = await receive(request)
  if (body === 'gone') return undefined
  if (body === 'too large') return [413, { message: `a request has at most ${MAX_REQUEST_BYTES} bytes` }]
  if (why !== undefined) return [403, turnedAway(why)]
  if (request.method === 'GET') return [200, { healthy: true }]
  const name = String(request.headers['x-amz-target']).split('.')[1] ?? ''
  const operation = operations.get(name)
  if (!operation) return [400, { __type: 'com.amazon.coral.service#UnknownOperationException', message: `unknown operation ${name}` }]
  try {
    return [200, await operation(JSON.parse(body.toString()))]
  } catch (error) {
    return failure(name, error)
  }
}

function failure(operation: string, error: unknown): HttpAnswer {
  if (isRefusal(error)) return [error.statusCode, error.body]
  if (error instanceof SyntaxError) return [400, { __type: 'com.amazon.coral.service#SerializationException', message: error.message }]
  const message = `${operation} failed inside the embedded DynamoDB: ${error instanceof Error ? error.message : String(error)}`
  return [500, { __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError', message }]
}

function receive(request: IncomingMessage): Promise<Buffer | 'gone' | 'too large'> {
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= MAX_REQUEST_BYTES) chunks.push(chunk)
      else resolve('too large')
    })
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    // Also after 'end', when it changes nothing any more.
    request.on('close', () => resolve('gone'))
    request.on('error', () => resolve('gone'))
  })
}

/** Resolves when the answer is out, or its reader gone. */
function send(response: ServerResponse, status: number, body: object): Promise<void> {
  return new Promise(resolve => {
    // Gone while the operation ran: its 'close' has been and will not come again.
    if (response.destroyed) return resolve()
    response.on('close', resolve)
    // A string goes out with the head in one piece, a buffer in two.
    const text = JSON.stringify(body)
    response.writeHead(status, {
      'Content-Type': 'application/x-amz-json-1.0',
      'Content-Length': Buffer.byteLength(text),
      'x-amzn-RequestId': requestId(),
    })
    response.end(text)
  })
}

let requests = 0
const requestId = () => `embedded-${++requests}`
