import { Operation, Paging } from '../../edge.ts'
import type { JsonSchema, Schemas } from '../json-schema.ts'
import type { Mesh } from '../mesh.ts'
import type { Route } from '../routes.ts'
import { refer, withHeaders } from './headers.ts'
import { json, refusalsOf, writeHeaders } from './responses.ts'

/** The names between braces in a path. */
const pathFields = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map(m => m[1] ?? '')

/** What carries an ETag as a read carries one as the answer of a write, too. */
const versionedAnswers = (mesh: Mesh): ReadonlySet<unknown> =>
  new Set([...mesh.queries.values()].filter(q => q.query.versioned).map(q => q.query.answer))

/** Drops the path's fields from a schema of data: what is left travels in the body or the query. */
const without = (schema: JsonSchema, fields: readonly string[]): JsonSchema => {
  const properties = Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([name]) => !fields.includes(name)))
  const required = (schema.required ?? []).filter(name => !fields.includes(name))
  const { required: _, ...rest } = schema
  return { ...rest, properties, ...(required.length > 0 ? { required } : {}) }
}
const inline = (schema: JsonSchema, { components }: Schemas): JsonSchema =>
  typeof schema.$ref === 'string' ? (components[schema.$ref.split('/').at(-1) ?? ''] ?? schema) : schema

const meOr = (name: string, schema: JsonSchema) =>
  name === 'userId' ? { anyOf: [{ const: 'me', description: 'the caller' }, schema] } : schema

const parametersIn = (place: 'path' | 'query', schema: JsonSchema, names: readonly string[]) =>
  names.map(name => {
    const { description, pattern, ...rest } = schema.properties?.[name] ?? { type: 'string' }
    return {
      name,
      in: place,
      required: place === 'path' || (schema.required ?? []).includes(name),
      ...(description === undefined ? {} : { description }),
      // ids are opaque: how they are made is no business of clients
      schema: place === 'path' ? meOr(name, rest) : { ...rest, ...(pattern === undefined ? {} : { pattern }) },
    }
  })

const listOf = (item: JsonSchema, extra: Readonly<Record<string, JsonSchema>>) => ({
  type: 'object',
  properties: {
    items: { type: 'array', items: item },
    next: { type: ['string', 'null'], description: 'the cursor of the next page; null: nothing is left' },
    ...extra,
  },
  required: ['items', 'next', ...Object.keys(extra)],
})

const answersOf = (mesh: Mesh, { spec, method }: Route, schemas: Schemas) => {
  if (spec.kind === 'query') {
    const item = schemas.of(spec.answer, 'output')
    const extra = Object.fromEntries(Object.entries(spec.extra ?? {}).map(([name, s]) => [name, schemas.of(s, 'output')]))
    return {
      200: {
        description: spec.list ? 'A page' : 'The answer',
        headers: withHeaders(...(spec.versioned ? (['ETag'] as const) : [])),
        content: json(spec.list ? listOf(item, extra) : item),
      },
      ...(spec.versioned ? { 304: { description: 'Unchanged', headers: withHeaders('ETag') } } : {}),
    }
  }
  const versioned = versionedAnswers(mesh)
  const done = Object.entries(spec.answer).map(([status, schema]) => {
    const headers = withHeaders(
      ...writeHeaders,
      ...(versioned.has(schema) ? (['ETag'] as const) : []),
      ...(status === '201' && method === 'POST' ? (['Location'] as const) : []),
    )
    const description = status === '201' ? 'Created' : status === '204' ? 'Done' : 'The answer'
    return [status, { description, headers, ...(status === '204' ? {} : { content: json(schemas.of(schema, 'output')) }) }] as const
  })
  return {
    ...Object.fromEntries(done),
    202: {
      description: 'Accepted: asked for (`Prefer: respond-async`), or not done in time. It will be done, once.',
      headers: withHeaders('Location', 'Retry-After', ...writeHeaders),
      content: json(schemas.of(Operation, 'output')),
    },
  }
}

/** One route of a mesh as an OpenAPI operation. */
export const operation = (mesh: Mesh, route: Route, schemas: Schemas) => {
  const { spec } = route
  const data = inline(schemas.of(spec.data, 'input'), schemas)
  const inPath = pathFields(route.path)
  const rest = without(data, inPath)
  const fields = Object.keys(rest.properties ?? {})
  const body = spec.kind === 'command' && fields.length > 0
  const paging = spec.kind === 'query' && spec.list ? schemas.of(Paging, 'input') : undefined
  const media = route.method === 'PATCH' ? ['application/merge-patch+json', 'application/json'] : ['application/json']
  return {
    operationId: route.type,
    tags: [route.actor.name],
    summary: spec.summary,
    ...(spec.who === 'anyone' ? { security: [] } : {}),
    parameters: [
      ...parametersIn('path', data, inPath),
      ...(spec.kind === 'query' ? parametersIn('query', rest, fields) : []),
      ...(paging ? parametersIn('query', paging, Object.keys(paging.properties ?? {})) : []),
      ...refer('RequestId', 'Traceparent'),
      ...(spec.kind === 'command' ? refer('IdempotencyKey', 'Prefer') : []),
      ...(spec.refuses.includes('version-mismatch') ? refer('IfMatch') : []),
      ...(spec.kind === 'query' && spec.versioned ? refer('IfNoneMatch') : []),
      ...(spec.kind === 'command' && spec.refuses.includes('version-mismatch') ? refer('IfNoneMatchOnWrite') : []),
    ],
    ...(body ? { requestBody: { required: true, content: Object.fromEntries(media.map(m => [m, { schema: rest }])) } } : {}),
    responses: { ...answersOf(mesh, route, schemas), ...refusalsOf(mesh, route, schemas) },
  }
}
