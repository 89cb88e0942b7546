import { z } from 'zod'

/** Text whose length counts code points after trimming; what is stored is trimmed. */
export const text = (min: number, max: number) =>
  z
    .string()
    .trim()
    .refine(s => [...s].length >= min, min === 1 ? 'must not be blank' : `must have at least ${min} characters`)
    .refine(s => [...s].length <= max, `must have at most ${max} characters`)
    .meta({ minLength: min, maxLength: max })

/** An RFC 3339 time in UTC with milliseconds. */
export const Time = z.iso.datetime({ precision: 3 })
export const Day = z.iso.date()

/** The `sub` of a Cognito token: a UUID. */
export const UserId = z.uuid().meta({ description: 'the subject claim of the person’s tokens' })
