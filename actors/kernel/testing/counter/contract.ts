import { z } from 'zod'
import { actor, command, problem, query, snapshot } from '../../../../contracts/declare/messages.ts'
import { state } from '../../../../contracts/declare/records.ts'
import { word } from '../../../../contracts/declare/text.ts'
import { defineMesh } from '../../../../contracts/derive/mesh.ts'

/** A mesh of one actor, which counts: the example of `docs/add-an-actor.md`. */

export const COUNT_LIMIT = 40

const Name = word(32, /^[a-z]+$/, 'takes a-z')
const Count = z.object({ name: z.string(), count: z.int() })

export const tally = state({
  table: 'counter',
  pk: 'counter#{name}',
  sk: 'state',
  subject: [],
  value: z.object({ count: z.int() }),
  initial: { count: 0 },
})

export const counter = actor('counter', {
  records: { tally },
  refusals: { 'limit-reached': problem(409, 'The counter is full') },
  events: { 'counter.changed': snapshot(tally, Count) },
  commands: {
    'counter.add': command(tally, {
      http: 'POST /v1/counters/{name}',
      who: 'signed-in',
      summary: 'Count on',
      data: z.object({ name: Name, by: z.int().min(1).max(10).default(1) }),
      answer: { 200: Count },
      refuses: ['limit-reached'],
      key: m => ({ name: m.data.name }),
    }),
    'counter.reset': command(tally, {
      http: 'DELETE /v1/counters/{name}',
      who: 'signed-in',
      summary: 'Begin anew',
      data: z.object({ name: Name }),
      answer: { 204: z.undefined() },
      refuses: [],
      key: m => ({ name: m.data.name }),
    }),
  },
  queries: {
    'counter.get': query({
      http: 'GET /v1/counters/{name}',
      who: 'anyone',
      summary: 'How far it is',
      data: z.object({ name: Name }),
      answer: Count,
      refuses: [],
    }),
  },
  subscribes: ['counter.changed'],
})

export const counterMesh = defineMesh({ name: 'tallies', title: 'Tallies', summary: 'Counters for everybody.' }, counter)
/** What clients hear. */
export const counterStream = { subprotocol: 'tallies.v1', events: { 'counter.changed': Count } } as const
