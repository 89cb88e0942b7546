import { type CancellationReason, ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb'
import { expect } from 'vitest'
import type { Subject } from './subject.ts'

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

/**
 * Expects a refusal as of AWS's documentation, which the witness does not know: that it takes the request is expected, too, so that a version of it that
 * has learnt better is noticed.
 */
export async function invalidButForWitness({ engine }: Subject, request: Promise<unknown>, message?: RegExp): Promise<void> {
  if (engine === 'ministack') await request
  else await invalid(request, message)
}
