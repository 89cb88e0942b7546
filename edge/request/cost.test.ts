import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Paging, ProblemDocument } from '../../contracts/edge.ts'
import { mesh } from '../../contracts/mesh.ts'
import { addressOf } from '../access/address.ts'
import { bearerOf } from '../access/auth.ts'
import { isKey } from '../commands/idempotency.ts'
import { operationIds } from '../commands/operations.ts'
import { positions } from '../stream/positions.ts'
import { offered } from '../stream/subprotocols.ts'
import { json, request, type TestEdge, testEdge } from '../testing/edge.ts'
import { type TextField, textFields } from '../testing/fields.ts'
import { longestHanded } from '../testing/watch.ts'
import { fieldsOf } from './body.ts'
import { requestIdOf, traceparentOf } from './call.ts'
import { cursors } from './cursors.ts'
import { conditionsOf } from './etag.ts'
import { preferenceOf } from './prefer.ts'
import { EdgeProblem } from './problems.ts'
import { conform, pathFields } from './validate.ts'

/** No check of a text costs more than its length allows: what is too long is refused before anything is done with it. */

const MANY_BYTES = 60_000
/** What is handed to an expression, an address parser and the like is never longer than the longest text that a field takes. */
const MOST_HANDED = 5_000

const filled = (part: string, bytes = MANY_BYTES) => part.repeat(Math.floor(bytes / Buffer.byteLength(part)))
const distinct = (first: number, count: number) => Array.from({ length: count }, (_, i) => String.fromCodePoint(first + i)).join('')
const ALPHABETS = {
  letters: filled('a'),
  digits: filled('7'),
  hyphens: filled('-'),
  dots: filled('a.'),
  'CJK, each once': distinct(0x4e00, 20_000),
  'combining marks': `a${filled('\u0301\u0323')}`,
  emoji: filled('👩‍👩‍👧‍👦'),
  subtags: `en-u${filled('-aa-bb')}`,
  'a host of CJK': `https://${distinct(0x4e00, 19_000)}.example/x`,
  punycode: `https://xn--${filled('a')}/x`,
  'a zone': `Europe/${filled('Berlin/')}`,
  base64: `B${filled('A')}=`,
  'an id with digits': `${randomUUID()}.20261120.${filled('1')}`,
  'blanks inside': `a${filled(' ')}a`,
  'invisible inside': `a${filled('\u200b')}a`,
  'growing when it is normalised': filled('\ufdfa'),
  turning: filled('\u202e\u2067'),
}

type Message = { readonly type: string; readonly schema: z.ZodType; readonly http: string | undefined; readonly field: TextField }
const messages: readonly Message[] = [
  ...[...mesh.commands].map(([type, { command }]) => ({ type, schema: command.data, http: command.http })),
  ...[...mesh.queries].map(([type, { query }]) => ({ type, schema: query.data, http: query.http })),
].flatMap(m => textFields(m.schema).map(field => ({ ...m, field })))
const nameOf = ({ type, field }: Message) => `${type} ${field.path.join('.')}`

const dataWith = ([name = '', ...rest]: readonly string[], text: string): Record<string, unknown> => ({
  [name]: rest.length === 0 ? text : dataWith(rest, text),
})
const problemOf = (work: () => unknown): EdgeProblem | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof EdgeProblem) return error
    throw error
  }
}

test('there are messages with text', () => {
  expect(messages.map(nameOf)).toEqual(expect.arrayContaining(['user.edit language', 'push.subscribe keys.p256dh', 'post.like postId']))
})
test('every text of every message is declared so that its length is looked at first', () => {
  expect([...messages.filter(m => !m.field.bounded).map(nameOf), ...textFields(Paging).filter(f => !f.bounded)]).toEqual([])
  const bare = z.object({ a: z.string().max(3), b: z.array(z.uuid()).optional(), c: z.url().nullish() })
  expect(textFields(bare).map(f => [f.path.join('.'), f.bounded])).toEqual([
    ['a', false],
    ['b.0', false],
    ['c', false],
  ])
  expect(longestHanded(() => bare.safeParse({ a: 'a', b: [ALPHABETS.letters] }))).toBe(MANY_BYTES)
})
test.each(messages.map(m => [nameOf(m), m] as const))(
  '%s of 60 KB is refused, and nothing is done with it',
  (_, { schema, http, field }) => {
    const ids = pathFields(http)
    for (const [alphabet, text] of Object.entries(ALPHABETS)) {
      let problem: EdgeProblem | undefined
      const handed = longestHanded(() => {
        problem = problemOf(() => conform(schema, ids, dataWith(field.path, text), randomUUID()))
      })
      const isId = ids.has(field.path[0] ?? '')
      expect([alphabet, problem?.status], problem?.detail).toEqual([alphabet, isId ? 404 : 422])
      if (!isId) expect(problem?.errors?.map(e => e.pointer)).toContain(`/${field.path.join('/')}`)
      expect(handed, alphabet).toBeLessThanOrEqual(MOST_HANDED)
      expect(problem?.detail?.length, alphabet).toBeLessThan(2000)
    }
  },
)

describe('asked over HTTP', () => {
  let it: TestEdge
  beforeAll(async () => {
    it = await testEdge({ config: { WRITES_BURST: '100000', READS_BURST: '100000' } })
  })
  afterAll(() => it.edge.close())
  const routed = messages.flatMap(m => (m.http === undefined ? [] : [[nameOf(m), m.http, m.field.path] as const]))

  test.each(routed)('%s is answered 422, or 404 where it is an id of the path', async (_, http, path) => {
    const [method = '', route = ''] = http.split(' ')
    const [name = ''] = path
    const isId = route.includes(`{${name}}`)
    for (const [alphabet, text] of Object.entries(ALPHABETS)) {
      const target = route.replace(/\{(\w+)\}/g, (_, field) => (field === name ? encodeURIComponent(text) : randomUUID()))
      const answer = await it.call(method, target, {
        headers: { prefer: 'respond-async' },
        ...(isId ? {} : { body: dataWith(path, text) }),
      })
      const { status, errors = [] } = ProblemDocument.parse(json(answer))
      const otherId = route.includes('{') && status === 404
      expect([alphabet, status], answer.body.slice(0, 300)).toEqual([alphabet, isId || otherId ? 404 : 422])
      if (!isId && !otherId) expect(errors.map(e => e.pointer)).toContain(`/${path.join('/')}`)
    }
  })
  test('a body of nothing but names, or as deep as it can be, costs what it is long', async () => {
    const names = `{${Array.from({ length: 9_000 }, (_, i) => `"${i}":0`).join(',')}}`
    const deep = `{"bio":${'['.repeat(30_000)}${']'.repeat(30_000)}}`
    const wide = `{"bio":[${'[],'.repeat(20_000)}[]]}`
    for (const body of [names, deep, wide, `{"bio":"${'\\u0061'.repeat(10_000)}"}`, `{"a":"${'\\\\'.repeat(29_000)}"}`]) {
      expect(longestHanded(() => fieldsOf(request('PUT', '/', { body })))).toBeLessThan(100)
      expect((await it.call('PUT', '/v1/users/me', { body })).status).toBe(422)
    }
  })
  test('so is a cursor, a limit, a parameter that comes twice', async () => {
    for (const text of Object.values(ALPHABETS)) {
      const given = encodeURIComponent(text)
      for (const query of [`cursor=${given}`, `limit=${given}`, `${given}=1&${given}=2`]) {
        const answer = await it.call('GET', `/v1/timeline?${query}`)
        expect([answer.status, answer.body.length < 4_000], query.slice(0, 60)).toEqual([422, true])
      }
    }
  })
})

describe('what comes before the contract costs no more than its length allows:', () => {
  const secret = { mesh: 'test', secret: 'a secret of the test' }
  const cursor = cursors(secret)
  const position = positions(secret)
  const operation = operationIds(secret)
  const withHeader = (name: string, value: string) => request('GET', '/', { headers: { [name]: value } })
  const readers: Record<string, (text: string) => unknown> = {
    authorization: text => problemOf(() => bearerOf(`Bearer ${text}`)),
    'another scheme': text => problemOf(() => bearerOf(text)),
    prefer: preferenceOf,
    'if-match': text => problemOf(() => conditionsOf(withHeader('if-match', text).headers)),
    'if-none-match': text => problemOf(() => conditionsOf(withHeader('if-none-match', text).headers)),
    traceparent: text => traceparentOf(withHeader('traceparent', text)),
    'x-request-id': text => requestIdOf(withHeader('x-request-id', text), () => 'fresh'),
    'x-forwarded-for': text => addressOf(withHeader('x-forwarded-for', text), 2, 'x-forwarded-for').network,
    forwarded: text => addressOf(withHeader('forwarded', text), 2, 'forwarded').network,
    'idempotency-key': isKey,
    'sec-websocket-protocol': text => offered(text, 'test.v1'),
    'content-type': text => problemOf(() => fieldsOf(request('PUT', '/', { body: {}, headers: { 'content-type': text } }))),
    cursor: text => problemOf(() => cursor.read(text, 'ana', 'post.list', {})),
    position: text => position.timeOf(text),
    'an operation': text => operation.read(text, 'ana'),
  }
  const PARTS = [
    'a',
    '1',
    '"',
    '""',
    'W/',
    'W/"a",',
    ',',
    ';',
    '=',
    ' ',
    'wait=',
    'wait=1,',
    '-',
    '0-',
    'a.',
    ':',
    '1.1.1.1,',
    '\u00e9',
    '\t',
    'bearer.',
    '"a"b',
  ]
  const cpuOf = (work: () => unknown): number => {
    const once = () => {
      const began = process.cpuUsage()
      work()
      const { user, system } = process.cpuUsage(began)
      return user + system
    }
    return Math.min(...Array.from({ length: 5 }, once))
  }
  /** Ten times the text may cost ten times as much; what grows with the square costs a hundred times. Below this (µs) nothing can be told, nor matters. */
  const UNTELLING_US = 5_000
  test.each(Object.entries(readers))('%s', (_, read) => {
    for (const part of PARTS) {
      const [small, big] = [filled(part, MANY_BYTES / 10), filled(part)].map(text => cpuOf(() => read(text)))
      expect(big ?? 0, part).toBeLessThan(Math.max(UNTELLING_US, 40 * (small ?? 0)))
    }
  })
})
