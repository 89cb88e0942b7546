import type { Span } from '../../actors/kernel/ports/tracing/span.ts'

export type Branch = { readonly span: Span; readonly children: readonly Branch[] }

/**
 * What caused what: a span stands below the one that has its cause as id. A hearer's own command bears the event's id, so ids repeat; it belongs to
 * the hearer of the same actor. A span whose cause was not kept is a root.
 */
export const causation = (spans: readonly Span[]): readonly Branch[] => {
  const inOrder = [...spans].sort((a, b) => a.at - b.at)
  const below = new Map<Span | undefined, Span[]>()
  for (const span of inOrder) {
    const causes = inOrder.filter(s => s !== span && s.id === span.cause && s.cause !== s.id)
    const cause = causes.find(s => s.actor === span.actor) ?? causes[0]
    below.set(cause, [...(below.get(cause) ?? []), span])
  }
  const grow = (span: Span): Branch => ({ span, children: (below.get(span) ?? []).map(grow) })
  return (below.get(undefined) ?? []).map(grow)
}

const ms = (n: number) => `${n.toFixed(1)} ms`
const engines = ({ engine }: Span) => {
  const kinds = new Map<string, { count: number; ms: number }>()
  for (const call of engine) {
    const known = kinds.get(call.kind) ?? { count: 0, ms: 0 }
    kinds.set(call.kind, { count: known.count + 1, ms: known.ms + call.ms })
  }
  return [...kinds].map(([kind, k]) => `${kind}${k.count > 1 ? ` ×${k.count}` : ''} ${ms(k.ms)}`)
}

/** The tree as lines: who did what, when after the beginning, how long, how it ended; beneath, the engine requests. */
export const drawn = (branches: readonly Branch[], dim: (text: string) => string = text => text): string[] => {
  const start = Math.min(...branches.map(b => b.span.at))
  const draw = ({ span, children }: Branch, lead: string, own: string): string[] => {
    const head = `${lead}${span.actor}  ${span.what}  `
    const facts = `+${ms(span.at - start)}, took ${ms(span.ms)}, ${span.outcome}`
    const stem = `${own}${children.length > 0 ? '│' : ' '}  `
    return [
      `${head.padEnd(48)}${facts}`,
      ...engines(span).map(call => dim(`${stem}   ${call}`)),
      ...children.flatMap((child, i) => {
        const last = i === children.length - 1
        return draw(child, `${own}${last ? '└─' : '├─'} `, `${own}${last ? '  ' : '│ '} `)
      }),
    ]
  }
  return branches.flatMap(b => draw(b, '', ''))
}
