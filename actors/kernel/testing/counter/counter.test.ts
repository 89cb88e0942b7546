import { expect, test } from 'vitest'
import { readConfig } from '../../config/config.ts'
import { world } from '../world.ts'
import { COUNT_LIMIT, counterMesh, tally } from './contract.ts'
import { counterActor } from './counter.ts'

const counting = () => world(counterMesh, [counterActor.code(readConfig({}, counterMesh))])

test('a counter counts to its limit, and begins anew', () => {
  const w = counting()
  expect(w.say('ann', 'counter.add', { name: 'sheep' })).toMatchObject({ status: 200, body: { name: 'sheep', count: 1 } })
  for (let n = 0; n < 3; n++) w.say('bob', 'counter.add', { name: 'sheep', by: 10 })
  expect(w.say('ann', 'counter.add', { name: 'sheep', by: 10 })).toMatchObject({ refused: 'limit-reached', events: [] })
  expect(w.say('ann', 'counter.add', { name: 'sheep', by: 9 })).toMatchObject({ body: { count: COUNT_LIMIT } })
  expect(w.say('bob', 'counter.reset', { name: 'sheep' })).toMatchObject({ status: 204, events: [{ type: 'counter.changed' }] })
  expect(w.say('bob', 'counter.reset', { name: 'sheep' })).toMatchObject({ status: 204, events: [] })
  expect(w.at(tally.at({ name: 'sheep' }))).toEqual({ count: 0 })
})
