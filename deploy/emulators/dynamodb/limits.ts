import db from 'dynalite/db/index.js'
import type { Operation } from './actions.ts'

/** Limits that dynalite does not know: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const MAX_EXPRESSION_BYTES = 4_096
/** A value lies in so many lists and maps, the attribute itself not counted. */
const MAX_WRAPPERS = 31

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null

/** What lies in a list or map of an attribute value. */
function inner(value: Readonly<Record<string, unknown>>): readonly unknown[] | undefined {
  const names = Object.keys(value)
  if (names.length !== 1) return undefined
  if (names[0] === 'L' && Array.isArray(value.L)) return value.L
  return names[0] === 'M' && isObject(value.M) && !Array.isArray(value.M) ? Object.values(value.M) : undefined
}

/** @throws ValidationException for what the service refuses wherever in a request it stands */
function checkLimits(part: unknown, wrappers = 0): void {
  if (!isObject(part)) return
  const values = inner(part)
  if (values !== undefined) {
    if (wrappers >= MAX_WRAPPERS) {
      throw db.validationError(
        'Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit',
      )
    }
    for (const value of values) checkLimits(value, wrappers + 1)
    return
  }
  for (const [name, value] of Object.entries(part)) {
    if (wrappers === 0 && typeof value === 'string' && name.endsWith('Expression') && Buffer.byteLength(value) > MAX_EXPRESSION_BYTES) {
      const bytes = Buffer.byteLength(value)
      throw db.validationError(`Invalid ${name}: Expression size has exceeded the maximum allowed size; expression size: ${bytes}`)
    }
    checkLimits(value, wrappers)
  }
}

/** The same operations, that look at the limits first. */
export const withLimits = (operations: ReadonlyMap<string, Operation>): ReadonlyMap<string, Operation> =>
  new Map(
    [...operations].map(([name, operation]): [string, Operation] => [
      name,
      async body => {
        checkLimits(body)
        return operation(body)
      },
    ]),
  )
