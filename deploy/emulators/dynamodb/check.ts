import db, { type Request, type Store } from 'dynalite/db/index.js'
import checks, { type Custom, type Schema } from 'dynalite/validations/index.js'
import { refusal } from './errors.ts'
import { itemSize } from './item-size.ts'

/**
 * The request in a body: of the right types, within the limits of its schema, expressions parsed.
 * @throws SerializationException or ValidationException, worded like the service's.
 */
export function check(body: unknown, types: Schema, custom: Custom | undefined, store: Store): Request {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw refusal('com.amazon.coral.service#SerializationException', {})
  const request = checks.checkTypes(body, types)
  checks.checkValidations(request, types, custom, store)
  return request
}

/** dynalite's own check of one action inside a request that dynalite does not know. */
export function checkInner(custom: Custom | undefined, request: Request, store: Store): void {
  const wrong = custom?.(request, store)
  if (wrong) throw db.validationError(wrong)
  checkItemSize(request, store)
}

/** dynalite measures in UTF-16 units, the service in bytes. */
export function checkItemSize({ Item: item }: Pick<Request, 'Item'>, store: Store): void {
  if (item && itemSize(item) > store.options.maxItemSize) throw db.validationError('Item size has exceeded the maximum allowed size')
}
