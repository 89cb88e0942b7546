import { hash } from 'node:crypto'
import type { Envelope } from '../../contracts/declare/envelope.ts'
import { edgeProblem } from './problems.ts'

/** Signed addresses differ at every reading; the thing they lead to does not. */
const SIGNED = /[?&]X-Amz-Signature=/
const unsigned = (_: string, value: unknown) => (typeof value === 'string' && SIGNED.test(value) ? value.replace(/\?.*$/s, '') : value)

/** `"<content version>.<hash of the representation>"`. @param text the body as it is sent */
export const etagOf = (version: number, body: unknown, text: string): string => {
  const stable = text.includes('X-Amz-Signature=') ? JSON.stringify(body, unsigned) : text
  return `"${version}.${hash('sha256', stable, 'base64url').slice(0, 16)}"`
}

/** What a request asks of the thing that it changes (RFC 9110, 13.1), in content versions: likes and names do not count as changes of it. */
export type Conditions = Pick<Envelope, 'ifMatch' | 'ifNoneMatch'>
export const UNCONDITIONAL: Conditions = {}

type Tag = { readonly weak: boolean; readonly value: string }
type Headers = ReadonlyMap<string, string>
/** One element of a list of entity tags, which may be empty, and what ends it (RFC 9110, 5.6.1 and 8.8.3). */
const ELEMENT = /[\t ]*(?:(W\/)?"([\x21\x23-\x7e\x80-\uffff]*)")?[\t ]*(,|$)/y

/** The tags that a condition names. @throws EdgeProblem `bad-request` when it names none, or something else besides */
const tagsOf = (headers: Headers, name: 'if-match' | 'if-none-match'): '*' | readonly Tag[] | undefined => {
  const header = headers.get(name)
  if (header === undefined) return undefined
  if (header.trim() === '*') return '*'
  const tags: Tag[] = []
  ELEMENT.lastIndex = 0
  for (let element = ELEMENT.exec(header); element; element = ELEMENT.exec(header)) {
    const [, weak, value, end] = element
    if (value !== undefined) tags.push({ weak: weak !== undefined, value })
    if (end === '' && tags.length > 0) return tags
    if (end === '') break
  }
  throw edgeProblem('bad-request', `${name} must be * or a list of entity tags, such as "3.abc"`)
}

const versionsOf = (tags: readonly Tag[]): number[] =>
  tags.flatMap(({ value }) => {
    const version = /^(\d{1,15})\.[\w-]+$/.exec(value)?.[1]
    return version === undefined ? [] : [Number(version)]
  })
/** Only strong tags count, and what is no tag of ours names no version: then the list may be empty, and no version will do. */
const ifMatchOf = (headers: Headers): '*' | number[] | undefined => {
  const tags = tagsOf(headers, 'if-match')
  return tags === undefined || tags === '*' ? tags : versionsOf(tags.filter(t => !t.weak))
}
const ifNoneMatchOf = (headers: Headers): '*' | number[] | undefined => {
  const tags = tagsOf(headers, 'if-none-match')
  return tags === undefined || tags === '*' ? tags : versionsOf(tags)
}

/** The conditions of a write. @throws EdgeProblem `bad-request` */
export const conditionsOf = (headers: Headers): Conditions => {
  const ifMatch = ifMatchOf(headers)
  const ifNoneMatch = ifNoneMatchOf(headers)
  return { ...(ifMatch === undefined ? {} : { ifMatch }), ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }) }
}

/** Whether the client has this representation already; `*` matches any. @throws EdgeProblem `bad-request` */
export const noneMatch = (headers: Headers, etag: string): boolean => {
  const tags = tagsOf(headers, 'if-none-match')
  return tags !== undefined && (tags === '*' || tags.some(t => `"${t.value}"` === etag))
}

/**
 * Looks at the conditions of a read in their order (RFC 9110, 13.2.2).
 * @returns whether the client has the representation already
 * @throws EdgeProblem `version-mismatch`, `bad-request`
 */
export const isUnchanged = (headers: Headers, etag: string, version: number): boolean => {
  const ifMatch = ifMatchOf(headers)
  if (ifMatch !== undefined && ifMatch !== '*' && !ifMatch.includes(version))
    throw edgeProblem('version-mismatch', `it is at version ${version}`)
  return noneMatch(headers, etag)
}
