import { refuse, rules } from '../../../../contracts/declare/rules.ts'
import { authoring } from '../../authoring/implement.ts'
import { COUNT_LIMIT, counter, counterMesh, tally } from './contract.ts'

const { implement } = authoring(counterMesh)

const counterRules = rules(counter, {
  decide: {
    'counter.add': ({ count }, { data: { name, by } }) =>
      count + by > COUNT_LIMIT
        ? refuse('limit-reached', `${name} is at ${count} of ${COUNT_LIMIT}: add less, or reset it`)
        : [{ type: 'counter.changed', data: { name, count: count + by } }],
    'counter.reset': ({ count }, { data: { name } }) => (count === 0 ? [] : [{ type: 'counter.changed', data: { name, count: 0 } }]),
  },
  apply: {
    'counter.changed': (_, { data: { count } }) => ({ state: { count } }),
  },
  answer: {
    'counter.add': ({ count }, { data: { name } }) => ({ status: 200, body: { name, count } }) as const,
    'counter.reset': () => ({ status: 204, body: undefined }) as const,
  },
})

export const counterActor = implement(counter, () => ({
  rules: counterRules,
  on: {
    // The devices of whoever counted hear of it.
    'counter.changed': {
      effect: async ({ id, at, by, data }, { backplane }) => {
        for (const edge of (await backplane.online([by])).get(by) ?? [])
          await backplane.deliver(edge, [{ id, to: [by], type: 'counter.changed', at, data }])
      },
    },
  },
  views: {
    'counter.get': async ({ data: { name } }, read) => ({ body: { name, ...(await read.get(tally.at({ name }))) } }),
  },
}))
