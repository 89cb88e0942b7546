import { z } from 'zod'
import { isBounded } from '../../contracts/declare/text.ts'

/** A string somewhere in the data of a message: where, and whether its length is looked at first. */
export type TextField = { readonly path: readonly string[]; readonly bounded: boolean }

const isSimple = (schema: z.core.$ZodType) =>
  [z.ZodNumber, z.ZodBoolean, z.ZodEnum, z.ZodLiteral, z.ZodNull, z.ZodUndefined].some(kind => schema instanceof kind)

/** Every string of a schema. @throws an error for a kind of schema that this cannot look into */
export const textFields = (schema: z.core.$ZodType, path: readonly string[] = []): TextField[] => {
  if (isBounded(schema)) return [{ path, bounded: true }]
  if (schema instanceof z.ZodString || schema instanceof z.ZodStringFormat) return [{ path, bounded: false }]
  if (schema instanceof z.ZodObject)
    return Object.entries<z.core.$ZodType>(schema.shape).flatMap(([name, field]) => textFields(field, [...path, name]))
  if (schema instanceof z.ZodArray) return textFields(schema.element, [...path, '0'])
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(option => textFields(option, path))
  if (schema instanceof z.ZodPipe) return textFields(schema.in, path)
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return textFields(schema.unwrap(), path)
  if (isSimple(schema)) return []
  throw new Error(`the text in ${path.join('.') || 'the data'} cannot be found: it is of type ${schema._zod.def.type}`)
}
