import { ClientConfig, Health, Operation } from '../../edge.ts'
import type { Schemas } from '../json-schema.ts'
import type { Mesh } from '../mesh.ts'
import { refer, withHeaders } from './headers.ts'
import { group, json, problemResponses } from './responses.ts'

type Own = {
  readonly method: 'get'
  readonly path: string
  readonly id: string
  readonly summary: string
  readonly open: boolean
  readonly answers: (schemas: Schemas) => Readonly<Record<number, object>>
  readonly parameters?: readonly object[]
  readonly refuses?: readonly string[]
}
const answer = (description: string, content: object) => ({ description, headers: withHeaders(), content })
/** What is written once and kept by those who have it. */
const kept = (description: string, content: object) => ({
  200: { description, headers: withHeaders('ETag'), content },
  304: { description: 'Unchanged', headers: withHeaders('ETag') },
})
const document = json({ type: 'object', description: 'the document itself' })
const page = { 'text/html': { schema: { type: 'string' } } }

/**
 * What the edge answers itself, whatever actors there are.
 * @param subprotocol the stream's, where it is known
 */
export const ownRoutes = (mesh: Mesh, subprotocol?: string): readonly Own[] => [
  {
    method: 'get',
    path: '/v1/config',
    id: 'config',
    summary: 'What a client needs before it can sign in',
    open: true,
    answers: s => ({ 200: answer('The configuration', json(s.of(ClientConfig, 'output'))) }),
  },
  {
    method: 'get',
    path: '/v1/operations/{operationId}',
    id: 'operation',
    summary: 'What became of a write that was answered with 202; for its caller, until an hour after it was done',
    open: false,
    parameters: [{ name: 'operationId', in: 'path', required: true, schema: { type: 'string' } }],
    answers: s => ({
      200: {
        description:
          'The operation. While it is pending, `Retry-After` says when to ask again; once it is done, `Operation-Status` is the status that the write would ' +
          'have been answered with, and `ETag` and `Location` are those of what it made or changed, where that answer would have had them',
        headers: withHeaders('Retry-After', 'Operation-Status', 'ETag', 'Location'),
        content: json(s.of(Operation, 'output')),
      },
    }),
    refuses: ['not-found'],
  },
  {
    method: 'get',
    path: '/v1/stream',
    id: 'stream',
    summary:
      `The live stream: a WebSocket${subprotocol === undefined ? '' : ` with the subprotocol ${subprotocol}`}, described in /asyncapi.json. ` +
      'A token that is missing or bad closes it with 4401, an origin that is not allowed with 4403',
    open: true,
    answers: () => ({ 101: { description: 'Switching protocols' } }),
    refuses: ['bad-request', 'upgrade-required'],
  },
  {
    method: 'get',
    path: '/health/live',
    id: 'health.live',
    summary: 'Whether the process is up',
    open: true,
    answers: s => ({ 200: answer('It is', json(s.of(Health, 'output'))) }),
  },
  {
    method: 'get',
    path: '/health/ready',
    id: 'health.ready',
    summary: 'Whether this process can serve',
    open: true,
    answers: s => ({
      200: answer('It can, `degraded` where something that it can do without is missing', json(s.of(Health, 'output'))),
      503: answer('It cannot: starting, draining, or an engine is out of reach', json(s.of(Health, 'output'))),
    }),
  },
  {
    method: 'get',
    path: '/openapi.json',
    id: 'openapi',
    summary: 'This document (OpenAPI 3.1)',
    open: true,
    answers: () => kept('The document', document),
    parameters: refer('IfNoneMatch'),
  },
  {
    method: 'get',
    path: '/asyncapi.json',
    id: 'asyncapi',
    summary: 'The stream and the internal messages (AsyncAPI 3.0)',
    open: true,
    answers: () => kept('The document', document),
    parameters: refer('IfNoneMatch'),
  },
  ...(
    [
      ['/', 'home', 'The page that leads to all others'],
      ['/docs', 'docs', 'The documentation, to read'],
    ] as const
  ).map(
    ([path, id, summary]): Own => ({
      method: 'get',
      path,
      id,
      summary,
      open: true,
      answers: () => kept('The page', page),
      parameters: refer('IfNoneMatch'),
    }),
  ),
  {
    method: 'get',
    path: '/docs/problems/{code}',
    id: 'problem',
    summary: 'The page that explains a problem code',
    open: true,
    parameters: [
      { name: 'code', in: 'path', required: true, schema: { enum: Object.keys(mesh.problems).sort() } },
      ...refer('IfNoneMatch'),
    ],
    answers: () => kept('The page', page),
    refuses: ['not-found'],
  },
]

/** A route of the edge's own as an OpenAPI operation. */
export const ownOperation = (mesh: Mesh, own: Own, schemas: Schemas) => {
  const answers = own.answers(schemas)
  const codes = [
    ...(own.refuses ?? []),
    ...(own.open ? [] : ['invalid-token']),
    'body-too-large',
    'rate-limited',
    'internal-error',
    'overloaded',
  ]
  const refused = group(codes, code => mesh.problems[code]?.status ?? 500)
  for (const status of Object.keys(answers)) refused.delete(Number(status))
  return {
    operationId: own.id,
    tags: ['edge'],
    summary: own.summary,
    ...(own.open ? { security: [] } : {}),
    parameters: [...(own.parameters ?? []), ...refer('RequestId')],
    responses: { ...answers, ...problemResponses(mesh, refused, schemas) },
  }
}
