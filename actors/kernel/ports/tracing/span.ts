import { AsyncLocalStorage } from 'node:async_hooks'

/** What one step of a request's way did: kept for sampled requests only (the `traceparent`'s flag), for the causation tree. */
export type Span = {
  readonly request: string
  /** The message's or event's id, and the id of what caused it (null at the edge). */
  readonly id: string
  readonly cause: string | null
  /** Who did it (`edge`, `posts`) and what (`post.like`, `hears post.published`). */
  readonly actor: string
  readonly what: string
  /** Epoch ms, and how long it took in ms. */
  readonly at: number
  readonly ms: number
  /** Requests to engines by kind (`dynamodb:BatchGetItem`), with milliseconds; those that callers shared count for the one that began them. */
  readonly engine: readonly { readonly kind: string; readonly ms: number }[]
  readonly outcome: string
}

const current = new AsyncLocalStorage<{ kind: string; ms: number }[]>()

/** Runs `work` and gathers the engine requests that it makes. */
export const withEngineCalls = async <T>(work: () => Promise<T>): Promise<{ value: T; engine: { kind: string; ms: number }[] }> => {
  const engine: { kind: string; ms: number }[] = []
  return { value: await current.run(engine, work), engine }
}

/** Most engine requests that a span names: long work would make it as large as it is long. */
const MAX_ENGINE_CALLS = 100

/** Notes one engine request in whatever span is open. Called by the clients. */
export const noteEngineCall = (kind: string, ms: number): void => {
  const calls = current.getStore()
  if (calls && calls.length < MAX_ENGINE_CALLS) calls.push({ kind, ms })
}

/** The same trace without the flag: nothing of it is kept. */
export const unsampled = (traceparent: string): string => `${traceparent.slice(0, -2)}00`

/** Whether a W3C `traceparent` asks for its trace to be kept. */
export const isSampled = (traceparent: string | null): boolean =>
  traceparent !== null && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f][13579bdf]$/.test(traceparent)
