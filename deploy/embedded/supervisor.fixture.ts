import { appendFileSync } from 'node:fs'
import { runProcess } from '../../actors/kernel/process/process.ts'
import { mesh } from '../../contracts/mesh.ts'

/*
 * A process that does nothing, for the supervisor's tests: `<name> <journal> [behaviour]`. It notes in the journal when it starts and drains.
 * Behaviours: `stubborn` never ends draining, `broken` cannot start, `last` outlives its peers.
 */
const [, , name = 'fixture', journal = '', behaviour] = process.argv
const note = (what: string): void => appendFileSync(journal, `${name} ${what}\n`)

runProcess({
  mesh,
  name,
  last: behaviour === 'last',
  start: async ({ config }) => {
    if (behaviour === 'broken') throw new Error('port 1 of the moon is in use')
    note(`starts ${config.FAILPOINTS}`.trim())
    return {
      info: { name },
      health: () => ({ ok: true }),
      spans: async () => [],
      drain: async () => {
        note('drains')
        if (behaviour === 'stubborn') await new Promise(() => {})
        note('ends')
      },
    }
  },
})
