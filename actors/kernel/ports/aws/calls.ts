import { noteEngineCall } from '../tracing/span.ts'
import { isAnswered } from './failures.ts'

/** @param ok false when the engine failed (no answer, 5xx, throttling); a refusal such as a lost condition is an answer */
export type OnCall = (kind: string, ms: number, ok: boolean) => void

/**
 * A middleware for the clients' first step: notes every call, with all its tries, in the span that is open and with `onCall`.
 * Kinds are `dynamodb:BatchGetItem`, `sqs:SendMessageBatch`.
 */
export const engineCalls =
  (service: string, onCall?: OnCall) =>
  <A, R>(next: (args: A) => Promise<R>, context: { readonly commandName?: string }) => {
    const kind = `${service}:${context.commandName?.replace(/Command$/, '') ?? 'unknown'}`
    return async (args: A): Promise<R> => {
      const began = performance.now()
      let ok = true
      try {
        return await next(args)
      } catch (error) {
        ok = isAnswered(error)
        throw error
      } finally {
        const ms = performance.now() - began
        noteEngineCall(kind, ms)
        onCall?.(kind, ms, ok)
      }
    }
  }

export const FIRST = { step: 'initialize', priority: 'high', name: 'engineCalls' } as const
