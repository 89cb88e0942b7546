import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Envelope } from '../../contracts/declare/envelope.ts'
import { wire } from './wire.ts'

const AT = '2026-11-20T12:00:00.000Z'
const base: Envelope = {
  v: 1,
  id: 'i',
  type: 'post.like',
  key: 'k/s',
  by: 'ana',
  at: AT,
  data: {},
  trace: { request: 'r', cause: null, traceparent: null },
}

test('an envelope is read as it was written, whatever a client put into it', () => {
  const text = fc.string({ unit: 'binary' })
  const versions = fc.option(fc.oneof(fc.constant('*'), fc.array(fc.nat())), { nil: undefined })
  fc.assert(
    fc.property(
      fc.record({
        data: fc.dictionary(text, fc.jsonValue()),
        ifMatch: versions,
        ifNoneMatch: versions,
        claim: fc.option(fc.base64String(), { nil: undefined }),
        reply: fc.option(fc.record({ to: fc.base64String(), until: fc.nat(), durable: fc.boolean() }), { nil: undefined }),
        trace: fc.record({ request: text, cause: fc.constant(null), traceparent: fc.option(text) }),
      }),
      given => {
        const envelope = { ...base, ...JSON.parse(JSON.stringify(given)) }
        expect(JSON.parse(wire(envelope))).toEqual(JSON.parse(JSON.stringify(envelope)))
        expect(Envelope.safeParse(JSON.parse(wire(envelope))).success).toBe(true)
      },
    ),
  )
})

test('its text holds nothing that a queue refuses', () => {
  const all = Array.from({ length: 0x300 }, (_, i) => String.fromCharCode(i)).join('')
  expect(wire({ ...base, data: { all, last: '\uFFFD\uFFFE\uFFFF' } })).not.toMatch(/[^\x20-\uFFFD]/)
})
