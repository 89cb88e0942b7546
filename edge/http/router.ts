/** Finds what serves a path. Built once; a lookup walks the path's segments through maps, whatever the number of routes. */
export type Router<T> = {
  /** What serves the method, with the values of the path's parameters, or which methods the path takes, or nothing. */
  readonly find: (method: string, path: string) => Found<T> | { readonly allow: readonly string[] } | undefined
}
type Found<T> = { readonly target: T; readonly params: Readonly<Record<string, string>> }
export type RouterEntry<T> = { readonly method: string; readonly path: string; readonly target: T }

type Leaf<T> = { readonly target: T; readonly names: readonly string[] }
type Node<T> = { readonly literals: Map<string, Node<T>>; parameter: Node<T> | undefined; readonly leaves: Map<string, Leaf<T>> }
const node = <T>(): Node<T> => ({ literals: new Map(), parameter: undefined, leaves: new Map() })

const isParameter = (segment: string) => segment.startsWith('{') && segment.endsWith('}')

/** The leaf for a method, the more literal way first; `values` is left with the parameters on the way. */
const leafFor = <T>(at: Node<T>, segments: readonly string[], depth: number, values: string[], method: string): Leaf<T> | undefined => {
  const segment = segments[depth]
  if (segment === undefined) return at.leaves.get(method)
  const literal = at.literals.get(segment)
  const found = literal && leafFor(literal, segments, depth + 1, values, method)
  // An empty segment is nobody's id.
  if (found !== undefined || at.parameter === undefined || segment === '') return found
  values.push(segment)
  const byValue = leafFor(at.parameter, segments, depth + 1, values, method)
  if (byValue === undefined) values.pop()
  return byValue
}
/** Every method that a path takes, whichever way. */
const methodsOf = <T>(at: Node<T>, segments: readonly string[], depth: number): string[] => {
  const segment = segments[depth]
  if (segment === undefined) return [...at.leaves.keys()]
  const next = [at.literals.get(segment), segment === '' ? undefined : at.parameter]
  return next.flatMap(n => (n ? methodsOf(n, segments, depth + 1) : []))
}

/** The value of a segment, undefined when its percent-encoding is broken. */
const decoded = (segment: string): string | undefined => {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
const parameters = (names: readonly string[], values: readonly string[]): Record<string, string> | undefined => {
  const params: Record<string, string> = {}
  for (let i = 0; i < names.length; i++) {
    const value = decoded(values[i] ?? '')
    if (value === undefined) return undefined
    params[names[i] ?? ''] = value
  }
  return params
}

/** @param entries paths like `/v1/posts/{postId}`. `GET` serves `HEAD` too. @throws an error when two are the same */
export const router = <T>(entries: readonly RouterEntry<T>[]): Router<T> => {
  const root = node<T>()
  for (const { method, path, target } of entries) {
    let at = root
    const names: string[] = []
    for (const segment of path.split('/').slice(1)) {
      let next = isParameter(segment) ? at.parameter : at.literals.get(segment)
      next ??= node<T>()
      if (isParameter(segment)) {
        names.push(segment.slice(1, -1))
        at.parameter = next
      } else at.literals.set(segment, next)
      at = next
    }
    if (at.leaves.has(method)) throw new Error(`${method} ${path} is routed twice`)
    at.leaves.set(method, { target, names })
  }
  return {
    find: (method, path) => {
      const segments = path.split('/')
      const values: string[] = []
      const leaf = leafFor(root, segments, 1, values, method === 'HEAD' ? 'GET' : method)
      if (leaf) {
        const params = parameters(leaf.names, values)
        return params && { target: leaf.target, params }
      }
      const allow = new Set(methodsOf(root, segments, 1))
      if (allow.size === 0) return undefined
      if (allow.has('GET')) allow.add('HEAD')
      return { allow: [...allow.add('OPTIONS')].sort() }
    },
  }
}
