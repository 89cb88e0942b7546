import { expect, test } from 'vitest'
import { judged } from './answer.ts'

const now = Date.parse('2026-11-20T10:00:00.000Z')
const said = (status: number, retryAfter?: string) => judged({ status, retryAfter }, now)

test('each status has its meaning', () => {
  const kinds = [200, 201, 202, 204, 301, 307, 400, 401, 403, 404, 408, 410, 413, 422, 429, 500, 503].map(s => [s, said(s).kind])
  expect(Object.fromEntries(kinds)).toEqual({
    ...{ 200: 'taken', 201: 'taken', 202: 'taken', 204: 'taken', 301: 'hopeless', 307: 'hopeless', 400: 'hopeless', 401: 'refused' },
    ...{
      403: 'refused',
      404: 'gone',
      408: 'failed',
      410: 'gone',
      413: 'hopeless',
      422: 'hopeless',
      429: 'busy',
      500: 'failed',
      503: 'failed',
    },
  })
})

test('when to come back is told in seconds or as a date; nonsense is nothing, and more than a day is an hour: the message may still come in time', () => {
  expect(said(429, '120')).toEqual({ kind: 'busy', afterMs: 120_000 })
  expect(said(429, '86400')).toEqual({ kind: 'busy', afterMs: 86_400_000 })
  expect(said(503, 'Fri, 20 Nov 2026 10:00:30 GMT')).toEqual({ kind: 'busy', afterMs: 30_000 })
  expect(said(503, 'Friday, 20-Nov-26 10:00:30 GMT')).toEqual({ kind: 'busy', afterMs: 30_000 })
  expect(said(429, 'Fri, 20 Nov 2026 09:00:00 GMT')).toEqual({ kind: 'busy', afterMs: 0 })
  for (const nonsense of ['soon', '-5', '12.5', '1e3', '', '0x10', 'Fri, 99 Nov 2026 99:00:00 GMT'])
    expect([nonsense, said(429, nonsense)]).toEqual([nonsense, { kind: 'busy' }])
  for (const absurd of ['86401', '999999999', '9'.repeat(400), 'Fri, 20 Nov 2099 10:00:00 GMT'])
    expect([absurd, said(429, absurd)]).toEqual([absurd, { kind: 'busy', afterMs: 3_600_000 }])
})
