import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { describeIssue } from './issues.ts'

const said = (schema: z.ZodType, ...inputs: unknown[]) =>
  inputs.map(input => schema.safeParse(input, { error: describeIssue }).error?.issues[0]?.message)

/** One example at least of every kind of issue that zod has: one that it gets besides does not compile. */
const kinds: { readonly [K in z.core.$ZodIssue['code']]: readonly (readonly [z.ZodType, unknown, string])[] } = {
  invalid_type: [
    [z.string(), undefined, 'is required'],
    [z.string(), 7, 'must be text, not a number'],
    [z.string(), null, 'must be text, not null'],
    [z.number(), 'x', 'must be a number, not text'],
    [z.int(), 1.5, 'must be a whole number, not a number with a fraction'],
    [z.int(), Number.POSITIVE_INFINITY, 'must be a number, not infinity'],
    [z.boolean(), {}, 'must be true or false, not an object'],
    [z.object({}), [], 'must be an object, not a list'],
    [z.array(z.string()), true, 'must be a list, not true or false'],
    [z.record(z.string(), z.string()), 'x', 'must be an object, not text'],
    [z.null(), 1, 'must be null, not a number'],
  ],
  too_big: [
    [z.string().max(3), 'abcd', 'must have at most 3 characters, not 4'],
    [z.array(z.int()).max(1), [1, 2], 'must have at most 1 entries, not 2'],
    [z.number().max(3), 4, 'must be at most 3'],
    [z.number().lt(3), 3, 'must be less than 3'],
  ],
  too_small: [
    [z.string().min(3), 'a', 'must have at least 3 characters, not 1'],
    [z.array(z.int()).min(1), [], 'must have at least 1 entries, not 0'],
    [z.number().min(3), 2, 'must be at least 3'],
    [z.number().gt(3), 3, 'must be more than 3'],
  ],
  invalid_format: [
    [z.uuid(), 'x', 'must be a UUID'],
    [z.iso.date(), 'x', 'must be a date such as 1990-12-31'],
    [z.url(), 'x', 'must be an absolute address'],
    [z.string().regex(/^a$/), 'x', 'must be of another form'],
    [z.string().startsWith('a'), 'x', 'must be of another form'],
  ],
  not_multiple_of: [[z.number().multipleOf(5), 7, 'must be a multiple of 5']],
  unrecognized_keys: [[z.strictObject({}), { a: 1, b: 2 }, 'must not have "a", "b"']],
  invalid_value: [
    [z.literal('x'), 'y', 'must be "x"'],
    [z.enum(['in', 'out']), 'y', 'must be one of "in", "out"'],
    [z.enum(['in', 'out']), undefined, 'is required'],
  ],
  invalid_union: [
    [z.union([z.string(), z.number()]), true, 'has none of the forms that it may have'],
    [z.discriminatedUnion('k', [z.object({ k: z.literal('a') })]), { k: 'b' }, 'has none of the forms that it may have'],
  ],
  invalid_key: [[z.record(z.string().max(1), z.int()), { ab: 1 }, 'has a name that it must not have']],
  invalid_element: [[z.map(z.date(), z.int()), new Map([[new Date(0), 'x']]), 'has an entry that it must not have']],
  custom: [
    [z.string().refine(() => false), 'x', 'is not valid'],
    [z.string().refine(() => false, 'must be better'), 'x', 'must be better'],
  ],
}
describe.each(Object.entries(kinds))('%s', (_, examples) => {
  test.each(examples)('%# is said plainly', (schema, input, words) => {
    expect(said(schema, input)).toEqual([words])
  })
})
test('long lists are cut', () => {
  expect(said(z.enum(Array.from({ length: 300 }, (_, i) => `v${i}`)), 'x')[0]?.length).toBeLessThan(200)
})
