import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { messageIds } from '../commands/message-ids.ts'
import { operationIds } from '../commands/operations.ts'
import { positions } from '../stream/positions.ts'
import { cursors } from './cursors.ts'
import { edgeSecret } from './signing.ts'

const TEXT = 'a secret that is long enough for this'
const SECRET = { mesh: 'test', secret: TEXT }

/** Every text that differs from this one in a single character. */
const altered = (text: string) => [...text].map((c, i) => `${text.slice(0, i)}${c === 'A' ? 'B' : 'A'}${text.slice(i + 1)}`)

describe('cursors', () => {
  const { write, read } = cursors(SECRET)
  const where = ['ana', 'post.list', { userId: 'ben' }] as const

  test('lead back to where the page ended, for any edge with the same secret', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), after => {
        expect(cursors(SECRET).read(write(after, ...where), ...where)).toBe(after)
      }),
    )
  })
  test('tell nothing of it', () => {
    const cursor = write('circle#somebody-hidden', ...where)
    expect(Buffer.from(cursor, 'base64url').toString('latin1')).not.toContain('hidden')
    expect(write('circle#somebody-hidden', ...where)).not.toBe(cursor)
  })
  test('are refused when altered, cut, or used by another caller, on another route, with other filters or another secret', () => {
    const cursor = write('post#1', ...where)
    const bad = [...altered(cursor), cursor.slice(0, -1), `${cursor}A`, `${cursor}=`, '', 'null', 'post#1']
    for (const text of bad) expect(() => read(text, ...where), text).toThrow('bad-cursor')
    expect(() => read(cursor, 'ben', 'post.list', { userId: 'ben' })).toThrow('bad-cursor')
    expect(() => read(cursor, 'ana', 'friend.list', { userId: 'ben' })).toThrow('bad-cursor')
    expect(() => read(cursor, 'ana', 'post.list', { userId: 'ana' })).toThrow('bad-cursor')
    expect(() => cursors({ ...SECRET, secret: `${TEXT}!` }).read(cursor, ...where)).toThrow('bad-cursor')
  })
})

describe('operation ids', () => {
  const { write, read } = operationIds(SECRET)
  const now = Date.parse('2026-11-20T12:00:00.000Z')
  const messageId = messageIds()(now)

  test('tell their caller, and nobody else, which message and when', () => {
    const id = write(messageId, 'ana')
    expect(operationIds(SECRET).read(id, 'ana')).toEqual({ messageId, madeAt: now })
    expect(read(id, 'ben')).toBeUndefined()
    expect(id).toBe(write(messageId, 'ana'))
  })
  test('cannot be made up', () => {
    const id = write(messageId, 'ana')
    for (const text of [...altered(id), '', 'x', messageId, id.slice(1)]) expect(read(text, 'ana'), text).toBeUndefined()
  })
})

test('positions are opaque, not empty, and rise with time only', () => {
  const { at, timeOf } = positions(SECRET)
  expect(at(50_000)).toBe(positions(SECRET).at(50_000))
  expect(at(50_000)).not.toBe(at(50_001))
  expect(at(0).length).toBeGreaterThan(0)
  expect(timeOf(at(50_000))).toBe(40_000)
  for (const text of [...altered(at(50_000)), '', 'x', positions({ ...SECRET, secret: 'another secret of thirty-two chars' }).at(50_000)])
    expect(timeOf(text), text).toBeUndefined()
})

test('message ids rise, even when the clock stands still', () => {
  const next = messageIds()
  const ids = Array.from({ length: 1000 }, () => next(1_000_000))
  expect(ids).toEqual([...ids].sort())
  expect(new Set(ids).size).toBe(1000)
})

test('production does not start without the deployment’s secret', () => {
  expect(() => edgeSecret(undefined, 'production')).toThrow('EDGE_SECRET')
  expect(edgeSecret(undefined, 'development')).not.toBe(edgeSecret(undefined, 'development'))
  expect(edgeSecret(TEXT, 'production')).toBe(TEXT)
})
