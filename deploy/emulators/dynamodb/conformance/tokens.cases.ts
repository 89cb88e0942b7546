import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { cancelled, refused } from './refused.ts'
import { absent, add, type Case, get, key, n, put, remove, s, transact } from './subject.ts'

/** ClientRequestToken: a repeat within ten minutes changes nothing. The SDK sends a fresh one with every transaction and repeats it when it retries. */
export const tokens: Case[] = [
  {
    name: 'a repeat with the same token succeeds and changes nothing',
    async run(t) {
      const ClientRequestToken = randomUUID()
      for (let i = 0; i < 3; i++) await transact(t, [add(t, key('count'), 1)], { ClientRequestToken })
      expect(await get(t, key('count'))).toEqual({ ...key('count'), n: n(1) })
      await transact(t, [add(t, key('count'), 1)], { ClientRequestToken: randomUUID() })
      expect(await get(t, key('count'))).toEqual({ ...key('count'), n: n(2) })
    },
  },
  {
    name: 'a repeat succeeds even when its conditions would fail now',
    async run(t) {
      const ClientRequestToken = randomUUID()
      await transact(t, [put(t, key('once'), absent)], { ClientRequestToken })
      await transact(t, [put(t, key('once'), absent)], { ClientRequestToken })
    },
  },
  {
    name: 'another request with the same token is refused',
    async run(t) {
      const ClientRequestToken = randomUUID()
      await transact(t, [add(t, key('count'), 1)], { ClientRequestToken })
      const other = await refused(transact(t, [add(t, key('count'), 2)], { ClientRequestToken }))
      expect(other.name).toBe('IdempotentParameterMismatchException')
      expect(await get(t, key('count'))).toEqual({ ...key('count'), n: n(1) })
    },
  },
  {
    name: 'the order of attributes makes no other request',
    async run(t) {
      const ClientRequestToken = randomUUID()
      await transact(t, [put(t, { ...key('a'), one: n(1), two: n(2) })], { ClientRequestToken })
      await transact(t, [put(t, { two: n(2), one: n(1), ...key('a') })], { ClientRequestToken })
    },
  },
  {
    name: 'a cancelled transaction leaves its token free',
    async run(t) {
      const ClientRequestToken = randomUUID()
      await transact(t, [put(t, key('taken'))])
      await cancelled(transact(t, [put(t, { ...key('taken'), text: s('mine') }, absent)], { ClientRequestToken }), [
        'ConditionalCheckFailed',
      ])
      await transact(t, [remove(t, key('taken'))])
      await transact(t, [put(t, { ...key('taken'), text: s('mine') }, absent)], { ClientRequestToken })
      expect(await get(t, key('taken'))).toEqual({ ...key('taken'), text: s('mine') })
    },
  },
  {
    name: 'many at once with one token take effect once',
    async run(t) {
      const ClientRequestToken = randomUUID()
      const attempts = await Promise.allSettled(
        Array.from({ length: 8 }, () => transact(t, [add(t, key('count'), 1)], { ClientRequestToken })),
      )
      expect(attempts.some(attempt => attempt.status === 'fulfilled')).toBe(true)
      expect(await get(t, key('count'))).toEqual({ ...key('count'), n: n(1) })
    },
  },
]
