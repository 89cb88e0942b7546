import { CognitoError, InvalidParameterError } from 'cognito-local/lib/errors.js'

export type Fields = Record<string, unknown>

/** The pool's password policy: length only. Cognito's own least is 6, its default 8. */
export const MIN_PASSWORD = 8

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An object within a request; what is none has no fields. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {}
}

export function required(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value === 'string' && value !== '') return value
  throw new InvalidParameterError(`Missing required parameter ${name}`)
}

export function checkPassword(password: unknown): string {
  if (typeof password === 'string' && [...password].length >= MIN_PASSWORD) return password
  throw new CognitoError('InvalidPasswordException', 'Password did not conform with policy: Password not long enough')
}

export function attributesOf(value: unknown): { Name: string; Value: string }[] {
  return (Array.isArray(value) ? value : []).map(each =>
    isFields(each) ? { Name: String(each.Name), Value: String(each.Value ?? '') } : { Name: '', Value: '' },
  )
}

/** What a token says, unverified; nothing when it is no token. */
export function claimsOf(token: string): Fields {
  try {
    return fieldsOf(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()))
  } catch {
    return {}
  }
}

export function isCode(error: unknown, code: string): boolean {
  return error instanceof CognitoError && error.code === code
}
