import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isRefusal } from './errors.ts'
import type { Operation } from './operations.ts'

const MAX_REQUEST_BYTES = 16 * 1024 * 1024
/** Above what clients keep idle sockets for, so that it is the client that closes them: a socket closed by us just as a request comes in costs a retry. */
const KEEP_ALIVE_MS = 75_000
/** How long a client may take to finish sending or reading once the server is closing. */
const LAST_BYTES_MS = 1_000

export interface Wire {
  server: Server
  /** Answers what is being worked on, turns away what comes after, and closes every socket, idle ones at once. */
  close(): Promise<void>
}

/** DynamoDB's protocol (AWS JSON 1.0): one POST an operation, named by the header `X-Amz-Target`. Signatures are not looked at. */
export function createWire(operations: ReadonlyMap<string, Operation>): Wire {
  const working = new Set<Promise<void>>()
  let closing = false
  const server = createServer((request, response) => {
    if (closing) response.setHeader('Connection', 'close')
    const work = (closing ? turnAway(response) : handle(request, response, operations)).finally(() => working.delete(work))
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

async function handle(request: IncomingMessage, response: ServerResponse, operations: ReadonlyMap<string, Operation>): Promise<void> {
  const body = await receive(request)
  if (body === 'gone') return
  if (body === 'too large') return send(response.setHeader('Connection', 'close'), 413, {})
  if (request.method === 'GET') return send(response, 200, { healthy: true })
  const name = String(request.headers['x-amz-target']).split('.')[1] ?? ''
  const operation = operations.get(name)
  if (!operation)
    return send(response, 400, { __type: 'com.amazon.coral.service#UnknownOperationException', message: `unknown operation ${name}` })
  try {
    const answer = await operation(JSON.parse(body.toString()))
    await send(response, 200, answer)
  } catch (error) {
    await send(response, ...failure(name, error))
  }
}

function failure(operation: string, error: unknown): [status: number, body: object] {
  if (isRefusal(error)) return [error.statusCode, error.body]
  if (error instanceof SyntaxError) return [400, { __type: 'com.amazon.coral.service#SerializationException', message: error.message }]
  const message = `${operation} failed inside the embedded DynamoDB: ${error instanceof Error ? error.message : String(error)}`
  return [500, { __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError', message }]
}

function turnAway(response: ServerResponse): Promise<void> {
  return send(response, 503, {
    __type: 'com.amazon.coral.service#ServiceUnavailableException',
    message: 'the embedded DynamoDB is stopping',
  })
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
