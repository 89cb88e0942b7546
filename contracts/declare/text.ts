import { z } from 'zod'
import { foreignInLine, foreignInText, isVisible, isWellFormed, lengthOf, trim } from './characters.ts'

/**
 * Text that others send. Its length is looked at before anything else is: zod runs every check of a string, those behind a `.max()` that failed too, so
 * each kind here is one check that stops by itself. A test holds every string of every command and query to these.
 */

/** What the documents say of a text besides. */
type Shown = Readonly<Record<string, unknown>>
/** What a text becomes, or why it is not taken. */
type Verdict = { readonly value: string } | { readonly wrong: string }

const bounded = new WeakSet<z.core.$ZodType>()
/** Whether a schema of text is one of these. */
export const isBounded = (schema: z.core.$ZodType): boolean => bounded.has(schema)

const checked = (judge: (given: string) => Verdict, shown: Shown) => {
  const schema = z
    .string()
    .check(payload => {
      const verdict = judge(payload.value)
      if ('value' in verdict) payload.value = verdict.value
      else payload.issues.push({ code: 'custom', message: verdict.wrong, input: payload.value, continue: false })
    })
    .meta(shown)
  bounded.add(schema)
  return schema
}

const wordsOf = (min: number, max: number, foreign: (text: string) => string | undefined, shown: Shown = {}) => {
  const judge = (given: string): Verdict => {
    const value = trim(given)
    const length = lengthOf(value)
    if (length > max) return { wrong: `must have at most ${max} characters, not ${length}` }
    if (!isWellFormed(value)) return { wrong: 'must not hold half of a surrogate pair' }
    const stranger = foreign(value)
    if (stranger !== undefined) return { wrong: `must not hold ${stranger}, which is a control or a character that hides or turns text` }
    if (!isVisible(value)) return min === 0 ? { value: '' } : { wrong: 'must not be blank' }
    return length < min ? { wrong: `must have at least ${min} characters` } : { value }
  }
  return checked(judge, { minLength: min, maxLength: max, ...shown })
}
/** Text of several lines. Its length counts code points after trimming; what is stored is trimmed, and nothing when nothing of it can be seen. */
export const text = (min: number, max: number) => wordsOf(min, max, foreignInText)
/** Text of one line, such as a name. */
export const line = (min: number, max: number, shown: Shown = {}) => wordsOf(min, max, foreignInLine, shown)

/**
 * Text of a form that machines read.
 * @param max its longest: what is longer is not looked at
 * @param form what it must be
 * @param wrong what is said of what is not, as `must be a time such as 22:00`
 */
export const word = (max: number, form: RegExp | ((given: string) => boolean), wrong: string, shown: Shown = {}) => {
  const fits = form instanceof RegExp ? (given: string) => form.test(given) : form
  const pattern = form instanceof RegExp ? { pattern: form.source } : {}
  return checked(given => (given.length <= max && fits(given) ? { value: given } : { wrong }), { maxLength: max, ...pattern, ...shown })
}

/** An RFC 3339 time in UTC with milliseconds. */
export const Time = z.iso.datetime({ precision: 3 })
export const Day = z.iso.date()
/** A day that somebody sends. */
export const GivenDay = word(10, given => Day.safeParse(given).success, 'must be a date such as 1990-12-31', { format: 'date' })

/** The `sub` of a Cognito token: a UUID in form only, as Cognito's do not keep to the versions and variants of RFC 9562. */
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/
export const UserId = word(36, UUID, 'is no id of a person', { format: 'uuid', description: 'the subject claim of the person’s tokens' })
