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

test('when to come back is told in seconds or as a date; nonsense is nothing, and a day is the most', () => {
  expect(said(429, '120')).toEqual({ kind: 'busy', afterMs: 120_000 })
  expect(said(503, 'Fri, 20 Nov 2026 10:00:30 GMT')).toEqual({ kind: 'busy', afterMs: 30_000 })
  expect(said(429, 'Fri, 20 Nov 2026 09:00:00 GMT')).toEqual({ kind: 'busy', afterMs: 0 })
  expect(said(429, 'soon')).toEqual({ kind: 'busy' })
  expect(said(429, '999999999')).toEqual({ kind: 'busy', afterMs: 86_400_000 })
})
