import type { z } from 'zod'
import { type Commands, mesh, type Queries } from '../mesh.ts'

/** What clients may say and ask, by type, with the types of the contract. */
export type Writes = keyof Commands & string
export type Reads = keyof Queries & string
export type DataOf<T extends Writes | Reads> = T extends Writes
  ? z.input<Commands[T]['data']>
  : T extends Reads
    ? z.input<Queries[T]['data']> & (Queries[T] extends { list?: true } ? { limit?: number; cursor?: string } : unknown)
    : never

type Bodies<A> = { [S in keyof A]: A[S] extends z.ZodType ? z.output<A[S]> : never }[keyof A]
type Extra<Q> = Q extends { extra?: infer X } ? { [K in keyof X]: X[K] extends z.ZodType ? z.output<X[K]> : never } : unknown
export type AnswerTo<T extends Writes | Reads> = T extends Writes
  ? Bodies<Commands[T]['answer']>
  : T extends Reads
    ? Queries[T] extends { list?: true }
      ? { items: z.output<Queries[T]['answer']>[]; next: string | null } & Extra<Queries[T]>
      : z.output<Queries[T]['answer']>
    : never

/** The reads that answer a list. */
export type Lists = { [Q in Reads]: Queries[Q] extends { list?: true } ? Q : never }[Reads]
export type ItemOf<Q extends Lists> = z.output<Queries[Q]['answer']>

export type Request = {
  readonly method: string
  /** With the query, without the base address. */
  readonly path: string
  readonly body?: string
  readonly contentType?: string
  readonly writes: boolean
}

/**
 * The HTTP request that a message or question becomes: fields that the path names go there, the others into the body or the query.
 * @throws an error for a type that has no route, or when a field of the path is missing
 */
export const requestOf = (type: string, data: Readonly<Record<string, unknown>>): Request => {
  const spec = mesh.commands.get(type)?.command ?? mesh.queries.get(type)?.query
  const [method, template] = spec?.http?.split(' ') ?? []
  if (!spec || !method || !template) throw new Error(`${type} is nothing that a client can send or ask`)
  const rest = { ...data }
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest[name]
    delete rest[name]
    if (typeof value !== 'string' || value === '') throw new Error(`${type} needs ${name}: it stands in the path ${template}`)
    return encodeURIComponent(value)
  })
  const fields = Object.entries(rest).filter(([, value]) => value !== undefined)
  if (spec.kind === 'query') {
    // by hand: k6, which takes its requests from here, has no URLSearchParams
    const asked = fields.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`).join('&')
    return { method, path: asked === '' ? path : `${path}?${asked}`, writes: false }
  }
  if (fields.length === 0 && method !== 'POST' && method !== 'PATCH') return { method, path, writes: true }
  const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
  return { method, path, body: JSON.stringify(Object.fromEntries(fields)), contentType, writes: true }
}
