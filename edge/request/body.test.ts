import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { request } from '../testing/edge.ts'
import { fieldsOf } from './body.ts'
import { EdgeProblem } from './problems.ts'
import { conform, pathFields } from './validate.ts'

const problem = (work: () => unknown): EdgeProblem => {
  try {
    work()
  } catch (error) {
    if (error instanceof EdgeProblem) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
const fields = (body: unknown, contentType: string | undefined = 'application/json', method = 'POST') =>
  fieldsOf(request(method, '/', { body, headers: { 'content-type': contentType } }))
const code = (body: unknown, contentType?: string, method?: string) => problem(() => fields(body, contentType, method)).code

describe('a body', () => {
  test('is an object of JSON in UTF-8', () => {
    expect(fields({ a: 'ä', b: ['😀', '\u2028'] })).toEqual({ a: 'ä', b: ['😀', '\u2028'] })
    expect(fields('{"a":1}', 'application/json; charset=UTF-8')).toEqual({ a: 1 })
    expect(fields('{"a":1}', 'application/merge-patch+json', 'PATCH')).toEqual({ a: 1 })
  })
  test('may be absent, and then needs no media type', () => {
    expect(fieldsOf(request('PUT', '/'))).toEqual({})
    expect(fieldsOf(request('DELETE', '/', { headers: { 'content-type': 'text/plain' } }))).toEqual({})
  })
  test('of another media type is not taken', () => {
    for (const type of [
      'text/plain',
      'application/xml',
      '',
      'application/json; charset=latin1',
      'application/json, application/json',
      'application/merge-patch+json',
      'application/json; charset=utf-8; charset=latin1',
      'application/json; charset = latin1',
      'application/json; charset="latin1"',
      'application/json; charset',
      'multipart/form-data; boundary=x',
    ])
      expect(code('{}', type), type).toBe('unsupported-media-type')
  })
  test('whose media type has other parameters is taken', () => {
    for (const type of ['application/json; charset="UTF-8"', 'application/json;', 'application/json; profile="a b"; charset=utf-8'])
      expect(fields('{"a":1}', type), type).toEqual({ a: 1 })
  })
  test('that is coded, or a part of something, is not taken', () => {
    const sent = (headers: Record<string, string>, body: unknown = '{"a":1}') =>
      fieldsOf(request('PUT', '/', { body, headers: { 'content-type': 'application/json', ...headers } }))
    for (const coding of ['gzip', 'br', 'x-unknown', 'identity, gzip', 'gzip, gzip']) {
      const refusal = problem(() => sent({ 'content-encoding': coding }))
      expect([refusal.code, refusal.headers], coding).toEqual(['unsupported-media-type', { 'accept-encoding': 'identity' }])
    }
    for (const coding of ['identity', 'Identity', '', 'identity, identity']) expect(sent({ 'content-encoding': coding })).toEqual({ a: 1 })
    expect(problem(() => sent({ 'content-range': 'bytes 0-6/7' })).code).toBe('bad-request')
  })
  test('that is not JSON is malformed', () => {
    for (const body of ['{', '{"a":}', "{'a':1}", '{"a":1}x', '\u0000', 'undefined', '{"a":"\n"}'])
      expect(code(body), body).toBe('malformed-json')
  })
  test('that is not UTF-8 is malformed, however it is hidden', () => {
    expect(code(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]))).toBe('malformed-json')
    expect(code(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toBe('malformed-json')
  })
  test('may spell what it says', () => {
    expect(fields('{"a":"\\ud83d\\ude00"}')).toEqual({ a: '😀' })
    expect(fields('{"a":"\\\\ud83d"}')).toEqual({ a: '\\ud83d' })
  })
  test('that is JSON but no object is invalid as a whole', () => {
    for (const body of ['[]', 'null', '1', '"x"', 'true'])
      expect(
        problem(() => fields(body)),
        body,
      ).toMatchObject({ code: 'validation-failed', errors: [{ pointer: '' }] })
  })
  test('may nest as deeply as it likes', () => {
    const deep = `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`
    expect(Object.keys(fields(deep))).toEqual(['a'])
  })
  test('cannot reach prototypes', () => {
    const schema = z.object({ title: z.string() })
    const body = fields('{"title":"x","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')
    expect(conform(schema, new Set(), { ...body, postId: 'p' }, 'ana')).toEqual({ title: 'x' })
    expect('polluted' in {}).toBe(false)
  })
})

describe('data', () => {
  const schema = z.object({ userId: z.uuid(), 'a/b~c': z.number().optional(), list: z.array(z.object({ n: z.number() })).optional() })
  const ids = pathFields('PUT /v1/users/{userId}')
  const ana = '0190a000-0000-7000-8000-000000000001'

  test('has the caller where `me` stands for a user of the path', () => {
    expect(conform(schema, ids, { userId: 'me' }, ana)).toEqual({ userId: ana })
    expect(problem(() => conform(schema, new Set(), { userId: 'me' }, ana)).code).toBe('validation-failed')
  })
  test('of the path that does not fit names a thing that does not exist', () => {
    for (const userId of ['x', '..', '%2f', '\0', '__proto__'])
      expect(problem(() => conform(schema, ids, { userId }, ana)).code).toBe('not-found')
  })
  test('that is missing or no text is invalid, with pointers to what is wrong', () => {
    expect(problem(() => conform(schema, ids, {}, ana))).toMatchObject({ code: 'validation-failed', errors: [{ pointer: '/userId' }] })
    expect(problem(() => conform(schema, ids, { userId: 7 }, ana)).code).toBe('validation-failed')
    const wrong = { userId: ana, 'a/b~c': 'x', list: [{ n: 1 }, { n: 'x' }] }
    expect(problem(() => conform(schema, ids, wrong, ana)).errors?.map(e => e.pointer)).toEqual(['/a~1b~0c', '/list/1/n'])
  })
})
