import { expect, test } from 'vitest'
import { z } from 'zod'
import { ClientConfig } from './edge.ts'

/** The paths of all fields below a schema that nothing describes. */
const undescribed = (schema: z.ZodType, path: string): string[] => {
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema
  const own = schema.description === undefined && path !== '' ? [path] : []
  const below = inner instanceof z.ZodObject ? Object.entries(z.record(z.string(), z.instanceof(z.ZodType)).parse(inner.shape)) : []
  return [...own, ...below.flatMap(([name, field]) => undescribed(field, `${path}/${name}`))]
}

test('every field of the configuration is described, and each limit is one', () => {
  expect(undescribed(ClientConfig, '')).toEqual([])
  expect(undescribed(z.object({ a: z.object({ b: z.int() }).meta({ description: 'a' }) }), '')).toEqual(['/a/b'])
})
