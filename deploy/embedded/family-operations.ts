import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { z } from 'zod'
import type { Span } from '../../actors/kernel/ports/tracing/span.ts'
import type { OperationsOptions } from '../../actors/kernel/process/admin-server.ts'
import { mesh } from '../../contracts/mesh.ts'
import type { Supervised } from './supervisor.ts'

const ASK_MS = 2_000

/** What the operations server of the parent says: of itself, and of all its children, asked at their own servers. `trouble` says what is wrong with the data directory. */
export const familyOperations = (
  family: readonly Supervised[],
  trouble: () => string | undefined = () => undefined,
): Pick<OperationsOptions, 'registry' | 'health' | 'spans'> => {
  const registry = ownMetrics(family)
  return {
    registry: {
      contentType: registry.contentType,
      metrics: async () => {
        const texts = await Promise.all(family.map(p => ask(p, '/metrics').then(answer => answer?.text ?? '')))
        return mergeMetrics([await registry.metrics(), ...texts])
      },
    },
    health: async () => {
      const parts = await Promise.all(
        family.map(async p => {
          const answer = await ask(p, '/health/ready')
          return [p.name, { ok: answer?.ok ?? false, ...(answer ? { health: parsed(answer.text) } : {}) }] as const
        }),
      )
      const why = trouble()
      const all = [...parts, ['data', { ok: why === undefined, ...(why === undefined ? {} : { trouble: why }) }] as const]
      return { ok: all.every(([, part]) => part.ok), parts: Object.fromEntries(all) }
    },
    // All of them read the same backplane; the first that answers will do.
    spans: async request => {
      for (const p of family.toReversed()) {
        const answer = await ask(p, `/trace/${request}`)
        if (answer?.ok) return z.custom<Span>().array().parse(parsed(answer.text))
      }
      throw new Error('no process answers')
    },
  }
}

const ask = async (process: Supervised, path: string): Promise<{ ok: boolean; text: string } | undefined> => {
  const { ready, info } = process.state()
  if (!ready || info.operations === undefined) return undefined
  try {
    const answer = await fetch(`${info.operations}${path}`, { signal: AbortSignal.timeout(ASK_MS) })
    return { ok: answer.ok, text: await answer.text() }
  } catch {
    // It died just now.
    return undefined
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const ownMetrics = (family: readonly Supervised[]): Registry => {
  const registry = new Registry()
  registry.setDefaultLabels({ process: 'supervisor' })
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 })
  const gauge = (name: string, help: string, value: (p: Supervised) => number) =>
    new Gauge({
      name: `${mesh.name}_process_${name}`,
      help,
      labelNames: ['process'],
      registers: [registry],
      collect() {
        for (const p of family) this.set({ process: p.name }, value(p))
      },
    })
  gauge('up', 'Whether a process of the mesh is ready', p => (p.state().ready ? 1 : 0))
  gauge('restarts', 'How often a process of the mesh was started again', p => p.state().restarts)
  return registry
}

/** Puts texts of Prometheus' format together, so that each metric is described once and its samples stand together, as the format demands. */
export const mergeMetrics = (texts: readonly string[]): string => {
  const metrics = new Map<string, { about: Set<string>; samples: string[] }>()
  for (const text of texts) {
    let current = ''
    for (const line of text.split('\n')) {
      if (line === '') continue
      current = /^# (?:HELP|TYPE) (\S+)/.exec(line)?.[1] ?? current
      const metric = metrics.get(current) ?? { about: new Set(), samples: [] }
      metrics.set(current, metric)
      if (line.startsWith('#')) metric.about.add(line)
      else metric.samples.push(line)
    }
  }
  return `${[...metrics.values()].flatMap(m => [...m.about, ...m.samples]).join('\n')}\n`
}
