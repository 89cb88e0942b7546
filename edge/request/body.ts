import { isUtf8 } from 'node:buffer'
import { edgeProblem, invalid } from './problems.ts'
import { type EdgeRequest, MOST_BYTES } from './request.ts'

export const tooLarge = () => edgeProblem('body-too-large', `the body may have at most ${MOST_BYTES} bytes`)

/** A parameter of a media type that changes nothing: a charset that is UTF-8, or another name (RFC 9110, 5.6.6). */
const HARMLESS = /^(?:charset=(?:"utf-8"|utf-8)|(?!charset=)[\w!#$%&'*+.^`|~-]+=(?:[\w!#$%&'*+.^`|~-]+|"[^"\\]*")|)$/
/** The essence of a media type, when none of its parameters makes something else of the body. */
const mediaType = (header: string): string | undefined => {
  const [essence = '', ...parameters] = header.split(';').map(s => s.trim().toLowerCase())
  return parameters.every(p => HARMLESS.test(p)) ? essence : undefined
}
const accepted = (method: string, header: string | undefined): boolean => {
  if (header === 'application/json') return true
  const type = mediaType(header ?? '')
  return type === 'application/json' || (method === 'PATCH' && type === 'application/merge-patch+json')
}

/** Parses text that came from outside. What the strings in it may hold is the contract's to say. @throws EdgeProblem `malformed-json` */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw edgeProblem('malformed-json', error instanceof Error ? error.message : 'the text is not JSON')
  }
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isPlain = (codings: string) => codings.split(',').every(coding => ['', 'identity'].includes(coding.trim().toLowerCase()))

const NOTHING: Readonly<Record<string, unknown>> = {}

/**
 * The fields of a body; none when there is no body, which then needs no media type either.
 * @throws EdgeProblem `unsupported-media-type`, `bad-request`, `malformed-json`, `validation-failed` when it is JSON but no object
 */
export const fieldsOf = ({ method, headers, body }: EdgeRequest): Readonly<Record<string, unknown>> => {
  // A part of a thing is not to be taken for the whole (RFC 9110, 14.4).
  if (headers.has('content-range')) throw edgeProblem('bad-request', 'a Content-Range is not taken: send the whole body')
  if (body.length === 0) return NOTHING
  if (!isPlain(headers.get('content-encoding') ?? ''))
    throw edgeProblem('unsupported-media-type', 'the body must come without a Content-Encoding', { 'accept-encoding': 'identity' })
  if (!accepted(method, headers.get('content-type'))) {
    const types = method === 'PATCH' ? 'application/merge-patch+json or application/json' : 'application/json'
    throw edgeProblem('unsupported-media-type', `the body must be ${types} in UTF-8`)
  }
  if (!isUtf8(body)) throw edgeProblem('malformed-json', 'the body is not UTF-8')
  const value = parseJson(new TextDecoder().decode(body))
  if (!isObject(value)) throw invalid([{ pointer: '', message: 'must be a JSON object' }])
  return value
}
