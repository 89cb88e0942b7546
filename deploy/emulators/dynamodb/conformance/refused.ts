import { type CancellationReason, ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb'
import { expect } from 'vitest'

export interface Refused {
  name: string
  message: string
  /** Codes of a cancelled transaction. */
  codes: (string | undefined)[]
  reasons: CancellationReason[]
  item: unknown
}

/** What a request was refused with; fails when it was not. */
export async function refused(request: Promise<unknown>): Promise<Refused> {
  const error = await request.then(
    () => expect.fail('the request should have been refused'),
    (error: unknown) => error,
  )
  if (!(error instanceof Error)) throw error
  const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : []
  const item = error instanceof ConditionalCheckFailedException ? error.Item : undefined
  return { name: error.name, message: error.message, codes: reasons.map(reason => reason.Code), reasons, item }
}

/** Expects a cancelled transaction with these codes. */
export async function cancelled(request: Promise<unknown>, codes: string[]): Promise<Refused> {
  const refusal = await refused(request)
  expect(refusal).toMatchObject({ name: 'TransactionCanceledException', codes })
  return refusal
}

/** Expects a refusal of the request itself. */
export async function invalid(request: Promise<unknown>, message?: RegExp): Promise<void> {
  const refusal = await refused(request)
  expect(refusal).toMatchObject({ name: 'ValidationException' })
  if (message) expect(refusal.message).toMatch(message)
}
