import { z } from 'zod'
import { missingRoute } from '../../actors/kernel/ports/events/routes.ts'
import type { Span } from '../../actors/kernel/ports/tracing/span.ts'
import { parseMetrics, type Series } from './prometheus.ts'

const ASK_MS = 3_000
const ask = (address: string): Promise<Response> => fetch(address, { signal: AbortSignal.timeout(ASK_MS) })
const why = (error: unknown): string => {
  const { message, cause } = error instanceof Error ? error : new Error(String(error))
  return cause instanceof Error ? cause.message || message : message
}

const Spans = z.array(
  z.object({
    request: z.string(),
    id: z.string(),
    cause: z.string().nullable(),
    actor: z.string(),
    what: z.string(),
    at: z.number(),
    ms: z.number(),
    engine: z.array(z.object({ kind: z.string(), ms: z.number() })),
    outcome: z.string(),
  }),
)
/** The spans that are kept of a request. @throws when the operations server does not give them */
export const askSpans = async (operations: string, request: string): Promise<readonly Span[]> => {
  const answer = await ask(`${operations}/trace/${encodeURIComponent(request)}`)
  if (!answer.ok) throw new Error(`${operations} answers ${answer.status}: ${(await answer.text()).slice(0, 200)}`)
  return Spans.parse(await answer.json())
}

/** A process, or a part of one, and what keeps it from working. */
export type Part = { readonly name: string; readonly ok: boolean; readonly wrong: readonly string[] }
/** How many messages of a queue a worker has received and not settled. */
export type Held = { readonly queue: string; readonly held: number }
/** What the operations servers say; `silent` are those that say nothing. */
export type Told = {
  readonly metrics: readonly Series[]
  readonly parts: readonly Part[]
  readonly held: readonly Held[]
  readonly silent: readonly string[]
}

export const askOperations = async (operations: readonly string[]): Promise<Told> => {
  const silent: string[] = []
  const told = await Promise.all(
    operations.map(async url => {
      try {
        const [metrics, ready] = await Promise.all([ask(`${url}/metrics`), ask(`${url}/health/ready`)])
        const document: unknown = await ready.json()
        return { metrics: parseMetrics(await metrics.text(), url), parts: partsOf(new URL(url).host, document), held: heldIn(document) }
      } catch (error) {
        silent.push(`${url} does not answer: ${why(error)}`)
        return { metrics: [], parts: [], held: [] }
      }
    }),
  )
  return { metrics: told.flatMap(t => t.metrics), parts: told.flatMap(t => t.parts), held: told.flatMap(t => t.held), silent }
}

const Ready = z.looseObject({ ok: z.boolean() })
const Family = z.object({ parts: z.record(z.string(), Ready) })

/** The parts that a health document speaks of. @param host the name of a process that speaks of itself alone */
export const partsOf = (host: string, document: unknown): readonly Part[] => {
  const family = Family.safeParse(document)
  const parts: [string, unknown][] = family.success ? Object.entries(family.data.parts) : [[host, document]]
  return parts.map(([name, part]) => {
    const ok = Ready.safeParse(part).data?.ok ?? false
    const wrong = complaints(part)
    return { name, ok, wrong: ok || wrong.length > 0 ? wrong : ['it is not ready, and does not say why'] }
  })
}

/** How a health document names what is missing of the routes of events. */
const ROUTE = /^(topic|subscription|queue) /

/** What a health document complains of, however deep: errors of queues, dependencies that are down, a state that serves nobody. */
const complaints = (value: unknown, name = ''): string[] => {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'error' && typeof inner === 'string') return [inner]
    if (key === 'status' && inner === 'down') return [ROUTE.test(name) ? missingRoute(name) : `${name} cannot be reached`]
    if (key === 'status' && (inner === 'draining' || inner === 'starting')) return [`it is ${inner}`]
    return complaints(inner, key)
  })
}

const OneHeld = z.object({ queue: z.string(), held: z.number() })
/** What the workers that a health document speaks of hold, however deep. */
export const heldIn = (document: unknown): readonly Held[] => {
  if (typeof document !== 'object' || document === null) return []
  const one = OneHeld.safeParse(document)
  return one.success ? [one.data] : Object.values(document).flatMap(heldIn)
}
