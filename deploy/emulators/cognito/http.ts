import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Jwks } from 'aws-jwt-verify/jwk'
import { CognitoError, UnsupportedError } from 'cognito-local/lib/errors.js'
import { turnedAway, whyTurnedAway } from '../callers.ts'
import { NotStored } from './journal-file.ts'
import type { Answer } from './requests.ts'

const MAX_BODY = 256 * 1024

/**
 * The Cognito protocol over HTTP: `POST /` with the operation in `x-amz-target`, and the pool's keys at their usual path.
 * @param mayCall the origins of pages that may call: those that may call the API
 */
export function cognitoHttp(answer: Answer, userPoolId: string, jwks: Jwks, mayCall: (origin: string) => boolean): Server {
  return createServer({ keepAliveTimeout: 72_000 }, (request, response) => {
    void handle(request, response).catch(error => fail(response, error))
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('vary', 'origin')
    const why = whyTurnedAway(request.headers, mayCall)
    if (why !== undefined) return send(response, 403, turnedAway(why))
    allowPage(request, response)
    if (request.method === 'OPTIONS') return void response.writeHead(204).end()
    if (request.method === 'GET' && request.url === `/${userPoolId}/.well-known/jwks.json`) return send(response, 200, jwks)
    if (request.method === 'GET' && request.url === '/health') return send(response, 200, { ok: true })
    const [service, target] = String(request.headers['x-amz-target'] ?? '').split('.')
    if (request.method !== 'POST' || service !== 'AWSCognitoIdentityProviderService' || target === undefined) {
      throw new CognitoError('UnknownOperationException', `${request.method} ${request.url} names no operation in x-amz-target`)
    }
    send(response, 200, await answer(target, await readJson(request)))
  }
}

function allowPage(request: IncomingMessage, response: ServerResponse): void {
  const { origin } = request.headers
  if (origin === undefined) return
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('access-control-expose-headers', 'x-amzn-errortype, x-amzn-errormessage')
  if (request.method !== 'OPTIONS') return
  response.setHeader('access-control-allow-methods', 'POST, GET')
  response.setHeader('access-control-allow-headers', request.headers['access-control-request-headers'] ?? 'content-type, x-amz-target')
  response.setHeader('access-control-max-age', '7200')
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    // Read to its end but not kept: leaving off would reset the connection before the answer is read.
    if (size <= MAX_BODY) chunks.push(chunk)
  }
  if (size > MAX_BODY) throw new CognitoError('SerializationException', `the request has ${size} bytes, at most ${MAX_BODY} are taken`)
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString())
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return Object.fromEntries(Object.entries(body))
  } catch {
    // Told below, like JSON that is no object.
  }
  throw new CognitoError('SerializationException', 'the request body is not a JSON object')
}

function fail(response: ServerResponse, error: unknown): void {
  const refusal = describe(error)
  if (refusal.status === 500) process.stderr.write(`Cognito: ${error instanceof Error ? error.stack : refusal.message}\n`)
  response.setHeader('x-amzn-errortype', refusal.code)
  send(response, refusal.status, { __type: refusal.code, message: refusal.message })
}

function describe(error: unknown): { status: number; code: string; message: string } {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof CognitoError) return { status: 400, code: error.code, message }
  if (error instanceof NotStored) return { status: 503, code: 'ServiceUnavailableException', message }
  // 400: the SDK would repeat what the emulator will never be able to do.
  if (error instanceof UnsupportedError) return { status: 400, code: 'UnknownOperationException', message }
  return { status: 500, code: 'InternalErrorException', message }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body, secondsForDates))
}

/** The protocol's times are seconds since 1970. */
function secondsForDates(this: unknown, key: string, value: unknown): unknown {
  const raw: unknown = typeof this === 'object' && this !== null ? Reflect.get(this, key) : undefined
  return raw instanceof Date ? raw.getTime() / 1000 : value
}
