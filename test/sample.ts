import { schemas } from '../contracts/derive/json-schema.ts'
import type { Route } from '../contracts/derive/routes.ts'

type Json = Readonly<Record<string, unknown>>
const isObject = (x: unknown): x is Json => typeof x === 'object' && x !== null && !Array.isArray(x)
const list = (x: unknown): readonly unknown[] => (Array.isArray(x) ? x : [])

/** The smallest value that a JSON Schema takes: what a test sends where only its being valid matters. */
const least = (schema: unknown, components: Readonly<Record<string, unknown>>): unknown => {
  if (!isObject(schema)) return 'x'
  if (typeof schema.$ref === 'string') return least(components[schema.$ref.split('/').at(-1) ?? ''], components)
  if ('const' in schema) return schema.const
  if ('default' in schema) return schema.default
  if (Array.isArray(schema.enum)) return schema.enum[0]
  // What no generated text would be: a point of a curve, a push service's address.
  if (Array.isArray(schema.examples)) return schema.examples[0]
  const [first] = [...list(schema.anyOf), ...list(schema.oneOf)]
  if (first !== undefined) return least(first, components)
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return Object.fromEntries(
        list(schema.required).map(name => [
          String(name),
          least(isObject(schema.properties) ? schema.properties[String(name)] : undefined, components),
        ]),
      )
    case 'array':
      return []
    case 'integer':
    case 'number':
      return schema.minimum ?? 1
    case 'boolean':
      return true
    default:
      if (schema.format === 'date') return '2000-01-01'
      if (schema.format === 'uri') return 'https://example.org/'
      return 'x'.repeat(Math.max(1, Number(schema.minLength ?? 1)))
  }
}

/** Valid data for a route, its required fields only; those of the path are `given`. */
export const sampleFor = (route: Route, given: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> => {
  const { of, components } = schemas()
  const sample = least(of(route.spec.data, 'input'), components)
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(m => m[1] ?? '')
  const placed = names.map(name => {
    const value = given[name]
    if (value === undefined) throw new Error(`nobody says what {${name}} in ${route.method} ${route.path} stands for`)
    return [name, value] as const
  })
  return { ...(isObject(sample) ? sample : {}), ...Object.fromEntries(placed) }
}
