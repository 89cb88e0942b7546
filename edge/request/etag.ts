import { hash } from 'node:crypto'

/** Signed addresses differ at every reading; the thing they lead to does not. */
const SIGNED = /[?&]X-Amz-Signature=/
const unsigned = (_: string, value: unknown) => (typeof value === 'string' && SIGNED.test(value) ? value.replace(/\?.*$/s, '') : value)

/** `"<content version>.<hash of the representation>"`. @param text the body as it is sent */
export const etagOf = (version: number, body: unknown, text: string): string => {
  const stable = text.includes('X-Amz-Signature=') ? JSON.stringify(body, unsigned) : text
  return `"${version}.${hash('sha256', stable, 'base64url').slice(0, 16)}"`
}

type Tag = { readonly weak: boolean; readonly value: string }
/** The tags of an `If-Match` or `If-None-Match` header (RFC 9110, 8.8.3); what is no tag is left out. */
const tagsOf = (header: string): Tag[] =>
  [...header.matchAll(/(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g)].map(m => ({ weak: m[1] !== undefined, value: m[2] ?? '' }))

/** Whether the client has this representation already; `*` matches any. */
export const noneMatch = (header: string | undefined, etag: string): boolean =>
  header !== undefined && (header.trim() === '*' || tagsOf(header).some(t => `"${t.value}"` === etag))

/**
 * The content versions that an `If-Match` names; undefined: no condition, as for `*`, which only asks that there is something. A weak tag never matches
 * strongly, and neither does what is no tag of ours: then the list may be empty, and no version will do.
 */
export const versionsOf = (header: string | undefined): number[] | undefined => {
  if (header === undefined || header.trim() === '*') return undefined
  return tagsOf(header).flatMap(({ weak, value }) => {
    const version = /^(\d{1,15})\.[\w-]+$/.exec(value)?.[1]
    return weak || version === undefined ? [] : [Number(version)]
  })
}
