/** The header in which our proxies note whom they had a request from. */
export type ForwardedHeader = 'x-forwarded-for' | 'forwarded'

/** One `name=value` of an element, the value a token or a quoted string, and what follows: `;`, `,` or the end (RFC 7239, 4). */
const PAIR = /[ \t]*([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*))[ \t]*([;,]|$)/y

/**
 * The `for` of each element of a `Forwarded` header, in order; '' where an element has none.
 * @returns nothing when it is not well-formed: a quote that a client left open may have swallowed what our proxies wrote behind it
 */
const readForwarded = (text: string): string[] => {
  const hops: string[] = ['']
  PAIR.lastIndex = 0
  while (PAIR.lastIndex < text.length) {
    const [, name = '', quoted, token = '', end] = PAIR.exec(text) ?? []
    if (end === undefined) return []
    if (name.toLowerCase() === 'for') hops[hops.length - 1] = quoted?.replace(/\\(.)/g, '$1') ?? token
    if (end === ',') hops.push('')
  }
  return hops
}

/**
 * Whom each proxy had the request from, as they wrote it, our own ones last.
 * @param header the one that our proxies write. The other counts only where that is missing: otherwise a client could send it and be whoever it likes
 */
export const forwardedFor = (headers: ReadonlyMap<string, string>, header: ForwardedHeader): readonly string[] => {
  const [list, elements] = [headers.get('x-forwarded-for'), headers.get('forwarded')]
  const useElements = elements !== undefined && (header === 'forwarded' || list === undefined)
  return useElements ? readForwarded(elements) : (list?.split(',') ?? [])
}
