/** Finds what serves a path. Built once; a lookup walks the path's segments through maps, whatever the number of routes. */
export type Router<T> = {
  /** What serves the method, with the values of the path's parameters, or which methods the path takes, or nothing. */
  readonly find: (method: string, path: string) => Found<T> | { readonly allow: readonly string[] } | undefined
}
export type Found<T> = { readonly target: T; readonly params: Readonly<Record<string, string>> }
export type RouterEntry<T> = { readonly method: string; readonly path: string; readonly target: T }

type Leaf<T> = { readonly target: T; readonly names: readonly string[] }
type Node<T> = { readonly literals: Map<string, Node<T>>; parameter: Node<T> | undefined; readonly leaves: Map<string, Leaf<T>> }
const node = <T>(): Node<T> => ({ literals: new Map(), parameter: undefined, leaves: new Map() })

const isParameter = (segment: string) => segment.startsWith('{') && segment.endsWith('}')

/** Every leaf that a path leads to, the more literal ones first. */
const walk = <T>(at: Node<T>, segments: readonly string[], depth: number, values: readonly string[], visit: Visit<T>): boolean => {
  const segment = segments[depth]
  if (segment === undefined) return at.leaves.size > 0 && visit(at.leaves, values)
  const literal = at.literals.get(segment)
  if (literal && walk(literal, segments, depth + 1, values, visit)) return true
  // An empty segment is nobody's id.
  return at.parameter !== undefined && segment !== '' && walk(at.parameter, segments, depth + 1, [...values, segment], visit)
}
type Visit<T> = (leaves: Map<string, Leaf<T>>, values: readonly string[]) => boolean

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
  for (const [i, name] of names.entries()) {
    const value = decoded(values[i] ?? '')
    if (value === undefined) return undefined
    params[name] = value
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
      const wanted = method === 'HEAD' ? 'GET' : method
      const segments = path.split('/')
      const allow = new Set<string>()
      let found: Found<T> | undefined
      let broken = false
      walk(root, segments, 1, [], (leaves, values) => {
        const leaf = leaves.get(wanted)
        if (!leaf) {
          for (const known of leaves.keys()) allow.add(known)
          return false
        }
        const params = parameters(leaf.names, values)
        if (params) found = { target: leaf.target, params }
        else broken = true
        return true
      })
      if (found) return found
      if (broken || allow.size === 0) return undefined
      if (allow.has('GET')) allow.add('HEAD')
      return { allow: [...allow.add('OPTIONS')].sort() }
    },
  }
}
