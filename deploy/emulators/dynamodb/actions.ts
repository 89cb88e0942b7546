import type { Answer, DoneWith, Request, Store } from 'dynalite/db/index.js'

export type Action = (store: Store, request: Request, done: DoneWith<Answer>) => void

/** From a request's JSON to the answer's. Rejects with a Refusal, or with what went wrong inside. */
export type Operation = (body: unknown) => Promise<Answer>

/** Runs one of dynalite's actions. Rejects with a Refusal, or with what it threw. */
export function run(action: Action, store: Store, request: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    action(store, request, (error, answer) => (error ? reject(error) : resolve(answer ?? {})))
  })
}

/**
 * Runs an action whose store answers at once (overlay.ts), so that nothing comes between what it reads and what it writes.
 * Throws what the action answers as an error.
 */
export function runNow(action: Action, store: Store, request: Request): Answer {
  const outcomes: { error: Error | null; answer: Answer | undefined }[] = []
  action(store, request, (error, answer) => outcomes.push({ error, answer }))
  const [outcome] = outcomes
  if (!outcome) throw new Error('dynalite did not finish at once, although its store answers at once')
  if (outcome.error) throw outcome.error
  return outcome.answer ?? {}
}
