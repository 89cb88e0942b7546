import { z } from 'zod'

/** A JSON Schema (draft 2020-12), which OpenAPI 3.1 takes as it is. */
export type JsonSchema = { [key: string]: unknown; properties?: Record<string, JsonSchema>; required?: string[] }

/** Turns the contract's schemas into JSON Schemas that refer to shared components; `components` fills as schemas are asked for. */
export type Schemas = {
  /** @param io `input` for what clients send (defaults may be left out), `output` for what they get */
  readonly of: (schema: z.ZodType, io: 'input' | 'output') => JsonSchema
  readonly components: Record<string, JsonSchema>
}

/** What zod says twice: the pattern of a named format, the bounds of every safe integer, and that answers never grow (they may). */
const plainer = ({ jsonSchema: s }: { jsonSchema: z.core.JSONSchema.BaseSchema }) => {
  if (s.format !== undefined) delete s.pattern
  if (s.minimum === Number.MIN_SAFE_INTEGER) delete s.minimum
  if (s.maximum === Number.MAX_SAFE_INTEGER) delete s.maximum
  if (s.additionalProperties === false) delete s.additionalProperties
}

/** Follows every `$ref` of a document through `to`. */
const withRefs = (value: unknown, to: (ref: string) => string): unknown => {
  if (Array.isArray(value)) return value.map(v => withRefs(v, to))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([k, v]) => [k, k === '$ref' && typeof v === 'string' ? to(v) : withRefs(v, to)] as const),
  )
}

/** @param at where components lie in the document, `#/components/schemas/` in both kinds */
export const schemas = (at = '#/components/schemas/'): Schemas => {
  const components: Record<string, JsonSchema> = {}
  const keep = (id: string, found: unknown) => {
    const definition = z.record(z.string(), z.unknown()).parse(found)
    const known = components[id]
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(definition))
      throw new Error(`two different schemas are called ${id}; give one of them another id (.meta({ id }))`)
    components[id] = definition
  }
  return {
    components,
    of: (schema, io) => {
      const { $schema: _, $defs = {}, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: plainer })
      const moved = (s: unknown) => withRefs(s, ref => ref.replace('#/$defs/', at))
      for (const [id, definition] of Object.entries($defs)) keep(id, moved(definition))
      return z.record(z.string(), z.unknown()).parse(moved(rest))
    },
  }
}
