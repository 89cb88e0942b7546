import { describe, expect, test } from 'vitest'
import { catalog } from '../actors/testing/catalog.ts'
import { wrongs } from './mesh/oracle.ts'
import { play } from './mesh/program.ts'
import { CALM, type Faults, HOSTS, world } from './mesh/world.ts'
import { sampled } from './whole.ts'

const STORMS: Record<string, Faults> = {
  'nothing goes wrong': CALM,
  'workers die at every failpoint': { ...CALM, crash: 0.03 },
  'commits succeed and their answers are lost': { ...CALM, lostAnswer: 0.1 },
  'messages and events come twice, late and out of order': { ...CALM, duplicate: 0.2, delayMs: 3_000 },
  'events cannot be published': { ...CALM, publish: 0.4 },
  'everything at once': { crash: 0.02, lostAnswer: 0.05, duplicate: 0.1, delayMs: 2_000, publish: 0.2 },
}
const SEEDS = sampled([1, 2, 3, 4, 5], [1, 2])

describe.each(HOSTS)('after a day of random people, every promise holds of a %s', host => {
  describe.each(Object.entries(STORMS))('%s', (_, faults) => {
    test.each(SEEDS)('seed %i', async seed => {
      const w = await world(seed, faults, catalog, host)
      const played = await play(w, 120)
      await w.calm()
      expect(await wrongs(w, played)).toEqual([])
      if (faults.crash > 0) expect(w.deaths()).toBeGreaterThan(5)
      expect(w.published.length).toBeGreaterThan(50)
    })
  })
})
