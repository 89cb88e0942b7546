import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { startDynamoDb } from '../emulators/dynamodb/server.ts'
import { startSqsSns } from '../emulators/sqs-sns/start.ts'

/** A request as a test sees it: `CreateQueue`, and all that it says. */
export type Call = { readonly operation: string; readonly body: string }
/** What is answered instead of the engine: a refusal by its name, or a body. Undefined lets the engine answer. */
export type Answer = { readonly refusal: string; readonly message?: string } | { readonly body: string }
export type Answering = (call: Call) => Answer | undefined

const operationOf = (request: IncomingMessage, body: string): string =>
  String(request.headers['x-amz-target'] ?? '')
    .split('.')
    .at(-1) ||
  (new URLSearchParams(body).get('Action') ?? '')

const refusalBody = (xml: boolean, refusal: string, message: string) =>
  xml
    ? `<ErrorResponse><Error><Type>Sender</Type><Code>${refusal}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`
    : JSON.stringify({ __type: `com.amazonaws#${refusal}`, message })

const respond = (response: ServerResponse, xml: boolean, answer: Answer) => {
  const refused = 'refusal' in answer
  const headers = { 'content-type': xml ? 'text/xml' : 'application/x-amz-json-1.0', 'x-amzn-requestid': 'r' }
  response
    .writeHead(refused ? 400 : 200, headers)
    .end(refused ? refusalBody(xml, answer.refusal, answer.message ?? 'so it is') : answer.body)
}

/** The embedded engines behind an address that answers some requests as AWS does. Forwards the rest, and says what was answered to it. */
export const startAwsLike = async () => {
  const [dynamodb, messaging] = await Promise.all([startDynamoDb(), startSqsSns()])
  const state: { answering: Answering; answered: (call: Call) => void; calls: Call[] } = {
    answering: () => undefined,
    answered: () => {},
    calls: [],
  }
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const call = { operation: operationOf(request, body), body }
    state.calls.push(call)
    const target = String(request.headers['x-amz-target'] ?? '')
    const answer = state.answering(call)
    if (answer) return respond(response, target === '', answer)
    const engine = target.startsWith('DynamoDB') ? dynamodb : messaging
    const passed = Object.entries(request.headers).filter(([name]) => /^(x-amz-|authorization|content-type)/.test(name))
    const headers = Object.fromEntries(passed.map(([name, value]) => [name, String(value)]))
    const forwarded = await fetch(engine.endpoint, { method: 'POST', headers, body })
    const answerBody = await forwarded.text()
    if (forwarded.ok) state.answered(call)
    const type = forwarded.headers.get('content-type') ?? ''
    response.writeHead(forwarded.status, { 'content-type': type, 'x-amzn-requestid': 'r' }).end(answerBody)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await Promise.all([dynamodb.close(), messaging.close()])
    },
  }
}

/** Answers an operation so as often as said, and then no more. */
export const times = (count: number, operation: string, answer: Answer): Answering => {
  let left = count
  return call => (call.operation === operation && left-- > 0 ? answer : undefined)
}

/** The first of them that has an answer. */
export const firstOf =
  (...answerings: readonly Answering[]): Answering =>
  call => {
    for (const answering of answerings) {
      const answer = answering(call)
      if (answer) return answer
    }
    return undefined
  }
