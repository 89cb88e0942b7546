const FORM = /^(?:[\w-]+|[A-Za-z\d+/]+)(={0,2})$/

const toBase64Url = (base64: string) => base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

/**
 * The bytes of base64 or base64url (RFC 4648), with all of its padding or none; undefined for what is neither, or has bits to spare that are not zero:
 * then two texts would stand for the same bytes.
 */
export const bytesOf = (text: string): Uint8Array | undefined => {
  const padding = FORM.exec(text)?.[1]
  if (padding === undefined || (padding !== '' && text.length % 4 !== 0)) return undefined
  const plain = toBase64Url(text)
  if (plain.length % 4 === 1) return undefined
  const bytes = Uint8Array.from(atob(plain.replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0))
  return base64Url(bytes) === plain ? bytes : undefined
}

/** Bytes in base64url without padding. */
export const base64Url = (bytes: Uint8Array): string => toBase64Url(btoa(String.fromCharCode(...bytes)))
