import { z } from 'zod'
import { Envelope, EventEnvelope } from '../../declare/envelope.ts'
import { BEARER_SUBPROTOCOL, CLOSE, clientFrames, EventFrame, serverFrames } from '../../frames.ts'
import { mesh } from '../../mesh.ts'
import { SUBPROTOCOL, streamEvents } from '../../stream.ts'
import { type JsonSchema, type Schemas, schemas } from '../json-schema.ts'

type Message = { readonly name: string; readonly title: string; readonly payload: JsonSchema }
type Channel = { readonly id: string; readonly address: string; readonly description: string; readonly servers: readonly string[] }

const refTo = (...parts: string[]) => ({ $ref: `#/${parts.map(p => p.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}` })
const nothing: JsonSchema = { description: 'nothing' }
const is = (name: string, value: string): JsonSchema => ({ type: 'object', properties: { [name]: { const: value } }, required: [name] })
const carries = (data: JsonSchema): JsonSchema => ({ type: 'object', properties: { data } })
/** The names of AsyncAPI's components take no slashes and read best without dots. */
const named = (...parts: string[]) => parts.join('-').replaceAll('.', '-')

const closings: { readonly [C in keyof typeof CLOSE]: string } = {
  tooBig: `${CLOSE.tooBig} for a frame over 64 KiB, or the connection ends without a word`,
  restart: `${CLOSE.restart} when the server goes away or cannot serve at the moment`,
  nonsense: `${CLOSE.nonsense} for what is no frame of this protocol`,
  token: `${CLOSE.token} when the token is missing, bad or expired: come back with a new one`,
  origin: `${CLOSE.origin} for a browser of an origin that is not allowed`,
  silent: `${CLOSE.silent} without a sign of life for two heartbeats`,
  budget:
    `${CLOSE.budget} over budget: too many sockets of the person or address (then before any other frame), too many pings or pongs, frames that draw on ` +
    'the budget of reads beyond it, or `send`s that went on although they were answered 429; replies that are not there yet are lost, the same `id` may be sent again',
}

/** The client's and the server's frames of the stream, `event` and `send` once for each type. */
const streamMessages = (s: Schemas) => {
  const event = s.of(EventFrame, 'output')
  const send = s.of(clientFrames.send, 'input')
  const fromServer: Message[] = [
    ...Object.entries(serverFrames)
      .filter(([op]) => op !== 'event')
      .map(([op, frame]) => ({ name: named('frame', op), title: `${op} (server)`, payload: s.of(frame, 'output') })),
    ...Object.entries(streamEvents).map(([type, data]) => ({
      name: named('event', type),
      title: type,
      payload: { allOf: [event, is('type', type), carries(s.of(data, 'output'))] },
    })),
  ]
  const fromClient: Message[] = [
    ...Object.entries(clientFrames)
      .filter(([op]) => op !== 'send')
      .map(([op, frame]) => ({ name: named('frame', op), title: `${op} (client)`, payload: s.of(frame, 'input') })),
    ...[...mesh.commands]
      .filter(([, { command }]) => command.http !== undefined)
      .map(([type, { command }]) => ({
        name: named('send', type),
        title: `send ${type}: ${command.summary}`,
        payload: { allOf: [send, is('type', type), carries(s.of(command.data, 'input'))] },
      })),
  ]
  return { fromServer, fromClient }
}

/**
 * What is said without HTTP, as an AsyncAPI 3.0 document derived from the contract: the stream's frames and events, every actor's mailbox with its
 * commands, every topic with its events and every queue of those who hear them.
 * @param stream the host and path of the stream
 * @param prefix the deployment's prefix of queues and topics
 */
export const asyncapi = ({ host = 'localhost', secure = true, prefix = 'dailygrind-', version = '1.0.0' } = {}): object => {
  const known = schemas()
  const messages: Record<string, object> = {}
  const channels: Record<string, object> = {}
  const operations: Record<string, object> = {}
  const channel = ({ id, servers, ...rest }: Channel, said: readonly Message[]) => {
    for (const { name, title, payload } of said) messages[name] = { name, title, contentType: 'application/json', payload }
    channels[id] = {
      ...rest,
      servers: servers.map(name => refTo('servers', name)),
      messages: Object.fromEntries(said.map(({ name }) => [name, refTo('components', 'messages', name)])),
    }
  }
  const operation = (id: string, action: 'send' | 'receive', on: string, summary: string, said: readonly Message[]) => {
    operations[id] = {
      action,
      channel: refTo('channels', on),
      summary,
      messages: said.map(({ name }) => refTo('channels', on, 'messages', name)),
    }
  }

  const { fromServer, fromClient } = streamMessages(known)
  const open: Channel = {
    id: 'stream',
    address: '/v1/stream',
    servers: ['edge'],
    description:
      `A WebSocket with the subprotocol \`${SUBPROTOCOL}\`; the token in \`Authorization\` or as a second subprotocol \`${BEARER_SUBPROTOCOL}<token>\`. ` +
      `Closed with ${Object.values(closings).join('; ')}. Reconnect after all but ${CLOSE.nonsense} and ${CLOSE.origin}, and resume.`,
  }
  channel(open, [...fromServer, ...fromClient])
  operation('hear', 'send', 'stream', 'What a client hears', fromServer)
  operation('say', 'receive', 'stream', 'What a client says', fromClient)

  const { mailboxes, topics, subscribers } = mesh.topology(prefix)
  const envelope = known.of(Envelope, 'output')
  const eventEnvelope = known.of(EventEnvelope, 'output')
  const told = new Map<string, Message>()
  for (const actor of mesh.actors) {
    const mailbox = mailboxes.find(m => m.actor === actor.name)
    const commandsOf = Object.entries(actor.commands).map(([type, { data, summary }]) => ({
      name: named('command', type),
      title: `${type}: ${summary}`,
      payload: { allOf: [envelope, is('type', type), carries(known.of(data, 'output'))] },
    }))
    if (mailbox) {
      const id = `${actor.name}-mailbox`
      channel(
        { id, address: mailbox.queue, servers: ['queues'], description: `The mailbox of ${actor.name}: FIFO, a group a key.` },
        commandsOf,
      )
      operation(`${actor.name}-take`, 'receive', id, `${actor.name} takes its messages, one at a time a key`, commandsOf)
    }
    const topic = topics.find(t => t.actor === actor.name)
    const events = Object.entries(actor.events).map(([type, { kind, data }]) => ({
      name: named('told', type),
      title: `${type} (${kind})`,
      payload: { allOf: [eventEnvelope, is('type', type), carries(data instanceof z.ZodUndefined ? nothing : known.of(data, 'output'))] },
    }))
    for (const event of events) told.set(event.name, event)
    if (topic) {
      const id = `${actor.name}-events`
      channel({ id, address: topic.topic, servers: ['topics'], description: `The topic of ${actor.name}.` }, events)
      operation(`${actor.name}-tell`, 'send', id, `${actor.name} tells what happened`, events)
    }
  }
  for (const { actor, queue, subscriptions } of subscribers) {
    const heard = subscriptions.flatMap(s => s.types).flatMap(type => told.get(named('told', type)) ?? [])
    const id = `${actor}-hears`
    channel({ id, address: queue, servers: ['queues'], description: `What ${actor} hears: unordered, perhaps more than once.` }, heard)
    operation(`${actor}-hear`, 'receive', id, `${actor} hears what happened`, heard)
  }

  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Daily Grind',
      version,
      license: { name: 'MIT' },
      description: 'The live stream, and what the mesh says to itself: mesh.commands in mailboxes (SQS FIFO), events on topics (SNS).',
    },
    defaultContentType: 'application/json',
    servers: {
      edge: { host, protocol: secure ? 'wss' : 'ws', description: 'The edge', security: [refTo('components', 'securitySchemes', 'token')] },
      queues: { host: 'sqs.amazonaws.com', protocol: 'sqs', description: 'The mailboxes' },
      topics: { host: 'sns.amazonaws.com', protocol: 'sns', description: 'The topics' },
    },
    channels,
    operations,
    components: {
      messages,
      schemas: known.components,
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}
