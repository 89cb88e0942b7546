import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { mesh } from '../../mesh.ts'
import { ownRoutes } from './edge-operations.ts'
import { openapi } from './openapi.ts'

type Json = { [key: string]: unknown }
const text = JSON.stringify(openapi(mesh))
const document: Json = JSON.parse(text)

/** The value at a JSON pointer, or nothing. */
const at = (pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((value, part) => z.record(z.string(), z.unknown()).safeParse(value).data?.[part], document)
const operationAt = (path: string, method: string) => at(`/paths/${path.replaceAll('/', '~1')}/${method.toLowerCase()}`)

describe('the OpenAPI document', () => {
  test('is a valid OpenAPI 3.1 document', async () => {
    const validator = new Validator()
    const { errors, valid } = await validator.validate(JSON.parse(text))
    expect(errors ?? []).toEqual([])
    expect(valid).toBe(true)
    expect(validator.version).toBe('3.1')
  })

  test.each(mesh.routes.map(r => [r.type, r] as const))('has %s with every status and code of its refusals', (type, route) => {
    const found = operationAt(route.path, route.method)
    expect(found).toMatchObject({ operationId: type, summary: route.spec.summary })
    for (const code of route.spec.refuses) {
      const status = (route.spec.kind === 'query' ? route.spec.statuses?.[code] : undefined) ?? mesh.problems[code]?.status
      expect(JSON.stringify(z.object({ responses: z.record(z.string(), z.unknown()) }).parse(found).responses[String(status)])).toContain(
        `"${code}"`,
      )
    }
    if (route.spec.kind === 'command') expect(found).toHaveProperty('responses.202')
  })

  test.each(ownRoutes(mesh).map(r => [r.path, r.method] as const))('has the edge’s own %s', (path, method) => {
    expect(operationAt(path, method)).toBeDefined()
  })

  test('names each operation once', () => {
    const ids = [...text.matchAll(/"operationId":"([^"]+)"/g)].map(m => m[1])
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.length).toBe(mesh.routes.length + ownRoutes(mesh).length)
  })

  test('refers only to what is there', () => {
    const refs = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(m => m[1] ?? '')
    expect(refs.length).toBeGreaterThan(50)
    for (const ref of refs) expect(at(ref.replace('#', '')), ref).toBeDefined()
  })

  test('declares every path parameter, and leaves it out of the body', () => {
    for (const { path, method } of mesh.routes) {
      const { parameters, requestBody } = z
        .object({
          parameters: z.array(z.object({ name: z.string().optional(), in: z.string().optional() })),
          requestBody: z.unknown().optional(),
        })
        .parse(operationAt(path, method))
      const declared = parameters.filter(p => p.in === 'path').map(p => p.name ?? '')
      expect(declared, path).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(m => m[1]))
      for (const name of declared) expect(JSON.stringify(requestBody ?? {})).not.toContain(`"${name}"`)
    }
  })

  test('tells the lengths of text, the bounds of a page, and what a patch takes', () => {
    expect(operationAt('/v1/posts', 'post')).toHaveProperty(
      ['requestBody', 'content', 'application/json', 'schema', 'properties', 'title'],
      {
        type: 'string',
        minLength: 1,
        maxLength: 120,
      },
    )
    expect(operationAt('/v1/timeline', 'get')).toMatchObject({
      parameters: expect.arrayContaining([
        expect.objectContaining({ name: 'limit', schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 } }),
      ]),
    })
    expect(operationAt('/v1/users/me', 'patch')).toHaveProperty(['requestBody', 'content', 'application/merge-patch+json'])
  })

  test('gives reads the status that they refuse with, where it differs', () => {
    expect(operationAt('/v1/users/me', 'get')).toHaveProperty('responses.404')
    expect(operationAt('/v1/users/me', 'get')).not.toHaveProperty('responses.409')
  })

  test('tells how a write was taken, also where it was refused', () => {
    for (const status of ['201', '202', '409']) {
      expect(operationAt('/v1/posts', 'post')).toHaveProperty(['responses', status, 'headers', 'Idempotency-Replayed'])
      expect(operationAt('/v1/posts', 'post')).toHaveProperty(['responses', status, 'headers', 'Preference-Applied'])
    }
  })

  test('asks for no token where none is needed, and for one elsewhere', () => {
    expect(operationAt('/v1/config', 'get')).toHaveProperty('security', [])
    expect(operationAt('/v1/timeline', 'get')).not.toHaveProperty('security')
    expect(operationAt('/v1/timeline', 'get')).toHaveProperty('responses.401')
  })
})
