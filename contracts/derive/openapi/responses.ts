import type { AnyCommand, AnyQuery } from '../../declare/messages.ts'
import type { EDGE_PROBLEMS } from '../../declare/problems.ts'
import { ProblemDocument } from '../../edge.ts'
import type { Schemas } from '../json-schema.ts'
import type { Mesh } from '../mesh.ts'
import type { Route } from '../routes.ts'
import { type AnswerHeader, withHeaders } from './headers.ts'

type EdgeProblem = keyof typeof EDGE_PROBLEMS

/** What the edge itself may refuse on a route, before any actor is asked. A body that a write does not need must be a good one, too. */
const edgeRefusals = ({ spec, path }: Route): EdgeProblem[] => [
  'bad-request',
  'body-too-large',
  'validation-failed',
  // an id that is none names nothing
  ...(path.includes('{') ? (['not-found'] as const) : []),
  ...(spec.who === 'anyone' ? [] : (['invalid-token'] as const)),
  ...(spec.kind === 'query' && spec.list ? (['bad-cursor'] as const) : []),
  ...(spec.kind === 'command' ? (['malformed-json', 'unsupported-media-type', 'idempotency-key-reused'] as const) : []),
  'rate-limited',
  'internal-error',
  'overloaded',
]

/** The status that a code has on a route: reads may refuse with another one than writes. */
export const statusOf = (mesh: Pick<Mesh, 'problems'>, spec: AnyCommand | AnyQuery, code: string): number => {
  const status = (spec.kind === 'query' ? spec.statuses?.[code] : undefined) ?? mesh.problems[code]?.status
  if (status === undefined) throw new Error(`the problem ${code} is not declared`)
  return status
}

const headersOf = (status: number): AnswerHeader[] =>
  status === 401 ? ['WWW-Authenticate'] : status === 429 || status === 503 ? ['Retry-After'] : []

/** What tells how a write was taken, whatever became of it. */
export const writeHeaders = ['Preference-Applied', 'Idempotency-Replayed'] as const satisfies readonly AnswerHeader[]

/** One answer a status, each with the codes that it may carry. */
export const problemResponses = (
  mesh: Mesh,
  byStatus: ReadonlyMap<number, readonly string[]>,
  schemas: Schemas,
  headers: readonly AnswerHeader[] = [],
) =>
  Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map(code => `\`${code}\`: ${mesh.problems[code]?.title}`).join('\n\n'),
        headers: withHeaders(...headersOf(status), ...headers),
        content: {
          'application/problem+json': {
            schema: {
              allOf: [
                schemas.of(ProblemDocument, 'output'),
                { type: 'object', properties: { status: { const: status }, code: { enum: codes } }, required: ['status', 'code'] },
              ],
            },
          },
        },
      },
    ]),
  )

export const group = (codes: readonly string[], statusOf: (code: string) => number) => {
  const byStatus = new Map<number, string[]>()
  for (const code of [...new Set(codes)].sort()) byStatus.set(statusOf(code), [...(byStatus.get(statusOf(code)) ?? []), code])
  return new Map([...byStatus].sort(([a], [b]) => a - b))
}

/** Every refusal of a route, the actor's and the edge's. */
export const refusalsOf = (mesh: Mesh, route: Route, schemas: Schemas) =>
  problemResponses(
    mesh,
    group([...route.spec.refuses, ...edgeRefusals(route)], code => statusOf(mesh, route.spec, code)),
    schemas,
    route.spec.kind === 'command' ? writeHeaders : [],
  )

export const json = (schema: unknown) => ({ 'application/json': { schema } })
