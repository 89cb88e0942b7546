import { describe, expect, test } from 'vitest'
import { isKey } from '../commands/idempotency.ts'
import { requestIdOf, traceparentOf } from '../request/call.ts'
import { conditionsOf, etagOf, isUnchanged, noneMatch } from '../request/etag.ts'
import { appliedOf, preferenceOf } from '../request/prefer.ts'
import { offered } from '../stream/subprotocols.ts'
import { request } from '../testing/edge.ts'
import { originCheck } from './cors.ts'

describe('ETag', () => {
  const tag = (version: number, body: unknown) => etagOf(version, body, JSON.stringify(body))

  test('changes with version and representation', () => {
    expect(tag(3, { a: 1 })).toMatch(/^"3\.[\w-]{16}"$/)
    expect(tag(3, { a: 1 })).toBe(tag(3, { a: 1 }))
    expect(tag(3, { a: 1 })).not.toBe(tag(3, { a: 2 }))
  })
  test('leaves the signature of media addresses out, not the address', () => {
    const avatar = (path: string, signature: string) => ({
      avatar: { small: `https://media.test/${path}?X-Amz-Date=1&X-Amz-Signature=${signature}` },
    })
    expect(tag(1, avatar('a', 'one'))).toBe(tag(1, avatar('a', 'two')))
    expect(tag(1, avatar('a', 'one'))).not.toBe(tag(1, avatar('b', 'one')))
  })
  test('If-None-Match compares all of it, weakly', () => {
    const etag = tag(2, { a: 1 })
    const matches = (header: string) => noneMatch(new Map([['if-none-match', header]]), etag)
    for (const header of [etag, `W/${etag}`, `"x", ${etag}`, `, ,${etag},`, '*', ' * ']) expect(matches(header), header).toBe(true)
    for (const header of ['"2.other"', '"a,b" , "*"', '"ü"']) expect(matches(header), header).toBe(false)
    expect(noneMatch(new Map(), etag)).toBe(false)
  })
  test('a condition that is no list of entity tags is refused, on reads and writes', () => {
    for (const header of [
      '',
      ' ',
      ',',
      'garbage',
      '2.abc',
      '"2.abc',
      '2.abc"',
      '"2.a" "2.b"',
      '*, "2.a"',
      '"2.a", *',
      'w/"2.a"',
      'W/ "2.a"',
      '"2.a";x',
    ])
      for (const name of ['if-match', 'if-none-match']) {
        const headers = new Map([[name, header]])
        expect(() => conditionsOf(headers), header).toThrow('bad-request')
        expect(() => isUnchanged(headers, '"2.a"', 2), header).toThrow('bad-request')
      }
    const long = `${'"a", '.repeat(20_000)}x`
    expect(() => conditionsOf(new Map([['if-match', long]]))).toThrow('bad-request')
  })
  test('a read looks at If-Match first, by content version', () => {
    const read = (given: Record<string, string>) => isUnchanged(new Map(Object.entries(given)), '"2.abc"', 2)
    expect(read({ 'if-match': '"2.other"' })).toBe(false)
    expect(read({ 'if-match': '*', 'if-none-match': '"2.abc"' })).toBe(true)
    for (const header of ['"1.abc"', 'W/"2.abc"', '"abc"'])
      expect(() => read({ 'if-match': header, 'if-none-match': '"2.abc"' }), header).toThrow('version-mismatch')
  })
  test('the conditions of a write name content versions; foreign tags name none, and a weak one none to If-Match', () => {
    const conditions = (given: Record<string, string>) => conditionsOf(new Map(Object.entries(given)))
    expect(conditions({})).toEqual({})
    expect(conditions({ 'if-match': '*', 'if-none-match': ' * ' })).toEqual({ ifMatch: '*', ifNoneMatch: '*' })
    expect(conditions({ 'if-match': '"2.abc", "5.def"' })).toEqual({ ifMatch: [2, 5] })
    expect(conditions({ 'if-none-match': '"2.abc",W/"5.def"' })).toEqual({ ifNoneMatch: [2, 5] })
    for (const header of ['W/"2.abc"', '"abc"', '"2"', '"99999999999999999999.a"', '""'])
      expect(conditions({ 'if-match': header }), header).toEqual({ ifMatch: [] })
  })
})

describe('Prefer', () => {
  test('says how long to wait, clamped to 20 s, 5 s by default', () => {
    const waits = (header?: string) => preferenceOf(header).waitMs
    expect([
      waits(),
      waits('wait=2'),
      waits('wait=99'),
      waits('WAIT="3"'),
      waits('wait=0'),
      waits('wait=-1'),
      waits('wait=99999999999999999999'),
      waits('wait=x'),
      waits('foo'),
    ]).toEqual([5000, 2000, 20_000, 3000, 0, 0, 20_000, 5000, 5000])
  })
  test('respond-async answers at once, with wait after that', () => {
    expect(preferenceOf('respond-async').waitMs).toBe(0)
    expect(preferenceOf('Respond-Async; foo=1, wait=4').waitMs).toBe(4000)
    expect(preferenceOf('wait=1, wait=9').waitMs).toBe(1000)
  })
  test('tells what was applied', () => {
    expect(appliedOf(preferenceOf('respond-async'), true)).toBe('respond-async')
    expect(appliedOf(preferenceOf('respond-async'), false)).toBeUndefined()
    expect(appliedOf(preferenceOf('respond-async, wait=2'), true)).toBe('respond-async, wait=2')
    expect(appliedOf(preferenceOf('wait=3'), false)).toBe('wait=3')
    expect(appliedOf(preferenceOf(undefined), true)).toBeUndefined()
  })
})

test('an idempotency key is 1 to 128 visible ASCII characters', () => {
  for (const key of ['a', '!~', 'x'.repeat(128)]) expect(isKey(key)).toBe(true)
  for (const key of ['', 'a b', 'ü', 'a\n', 'x'.repeat(129), 7, null]) expect(isKey(key)).toBe(false)
})

test('a sane request id is the client’s, another is made', () => {
  const id = (given: string) => requestIdOf(request('GET', '/', { headers: { 'x-request-id': given } }), () => 'made')
  expect([id('abc-1'), id('two words'), id('x'.repeat(129)), id('ü')]).toEqual(['abc-1', 'made', 'made', 'made'])
})

test('a traceparent counts when it is one', () => {
  const given = (text: string) => traceparentOf(request('GET', '/', { headers: { traceparent: text } }))
  const good = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  expect(given(good)).toBe(good)
  const zeros = [good.replace(/a{32}/, '0'.repeat(32)), good.replace(/b{16}/, '0'.repeat(16))]
  for (const text of ['00-x', `${good}-`, good.replace('00', 'ff'), ...zeros]) expect(given(text), text).toBeNull()
})

test('origins are exact, or take any port where the pattern says so', () => {
  const allowed = originCheck(['https://app.test', 'http://localhost:*'], false)
  for (const origin of ['https://app.test', 'http://localhost', 'http://localhost:5173']) expect(allowed(origin), origin).toBe(true)
  for (const origin of [
    'https://app.test.evil',
    'https://app.test:8443',
    'http://localhost.evil:80',
    'http://localhost:80@evil',
    'null',
    '',
  ])
    expect(allowed(origin), origin).toBe(false)
  expect(originCheck([], true)('http://127.0.0.1:3000')).toBe(true)
  expect(originCheck([], false)('http://127.0.0.1:3000')).toBe(false)
})

test('the token may come as a subprotocol', () => {
  expect(offered('dailygrind.v1, bearer.a.b.c', 'dailygrind.v1')).toEqual({ ours: true, token: 'a.b.c' })
  expect(offered(undefined, 'dailygrind.v1')).toEqual({ ours: false, token: undefined })
  expect(offered('other', 'dailygrind.v1')).toEqual({ ours: false, token: undefined })
})
