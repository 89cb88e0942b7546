import { isRefusalCode } from '../ports/aws/failures.ts'
import { Unsendable } from '../ports/mailbox/port.ts'
import { Unstorable } from '../ports/store/port.ts'

/**
 * Whether an error is of our own making: our code threw it, or an engine refused what we sent. Waiting for an engine will not help then, nor will
 * sending it again: the caller is told `internal-error`, and a message that is the cause becomes a dead letter after a few tries. All else is an engine that
 * cannot be reached, is throttled or fails: polling pauses, callers are told to come back, and messages wait.
 */
export const isOurFault = (error: unknown): boolean =>
  error instanceof Unstorable ||
  error instanceof Unsendable ||
  error instanceof TypeError ||
  error instanceof RangeError ||
  error instanceof SyntaxError ||
  error instanceof ReferenceError ||
  (error instanceof AggregateError && error.errors.length > 0 && error.errors.every(isOurFault)) ||
  (error instanceof Error && (error.name === 'ZodError' || isRefusalCode(error.name)))
