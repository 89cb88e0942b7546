import { Counter, Gauge, Histogram, type Registry, register } from 'prom-client'
import type { Mesh } from '../../../contracts/derive/mesh.ts'

const actorType = ['actor', 'type'] as const
const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/**
 * What every process counts. Born = done + dead + in flight: `sent` and `redriven` against `handled` and `dead`. One that was sent back is counted with what
 * became of it.
 */
export const metrics = (mesh: Pick<Mesh, 'name'>, registry: Registry = register) => {
  const registers = [registry]
  const counter = <const L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name: `${mesh.name}_${name}`, help, labelNames, registers })
  return {
    sent: counter('messages_sent_total', 'Commands put into a mailbox', actorType),
    handled: counter('messages_handled_total', 'Commands settled by a turn: done, refused or repeated', [...actorType, 'outcome']),
    dead: counter('messages_dead_total', 'Messages moved to the dead letters', ['queue', 'reason']),
    redriven: counter('messages_redriven_total', 'Dead letters that were sent back and settled: done, or dead again', ['queue']),
    events: counter('events_published_total', 'Events published', ['actor']),
    heard: counter('events_heard_total', 'Events taken from an event queue', [...actorType]),
    tried: counter('jobs_tried_total', 'Tries of work outside, by what came of them', ['queue', 'outcome']),
    refusing: new Gauge({
      name: `${mesh.name}_origin_refusing`,
      help: '1 while an origin outside refuses us, whomever we call it for, and is left alone: somebody must look at our credentials',
      labelNames: ['origin'],
      registers,
    }),
    engine: counter('engine_requests_total', 'Requests to engines', ['kind', 'ok']),
    turn: new Histogram({
      name: `${mesh.name}_turn_seconds`,
      help: 'From the start of a turn to its acknowledgement',
      labelNames: ['actor'],
      buckets: seconds,
      registers,
    }),
    lag: new Histogram({
      name: `${mesh.name}_receive_lag_seconds`,
      help: 'From sending to receiving a message',
      labelNames: ['queue'],
      buckets: [...seconds, 30, 60, 300],
      registers,
    }),
    held: new Gauge({ name: `${mesh.name}_messages_held`, help: 'Messages received and not settled', labelNames: ['queue'], registers }),
    heldSeconds: new Gauge({
      name: `${mesh.name}_messages_held_oldest_seconds`,
      help: 'For how long the oldest message that is held has been; it rises while what it did cannot be published',
      labelNames: ['queue'],
      registers,
    }),
    missingRoutes: new Gauge({
      name: `${mesh.name}_event_routes_missing`,
      help: '1 while a topic, a subscription or an event queue of the mesh is not there: events do not arrive',
      labelNames: ['route'],
      registers,
    }),
    paused: new Gauge({
      name: `${mesh.name}_polling_paused`,
      help: '1 while a failing engine keeps a queue from being polled',
      labelNames: ['queue'],
      registers,
    }),
  }
}
export type Metrics = ReturnType<typeof metrics>
