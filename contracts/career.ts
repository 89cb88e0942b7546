import { z } from 'zod'
import { counter, row } from './declare/records.ts'
import { line, Time, text, UserId, word } from './declare/text.ts'

/** Where people worked and learned: the entries of their jobs and their education. */

/** How many of each a person has at most. */
export const MAX_CAREER = { jobs: 100, education: 100 } as const

const EntryId = word(128, /^[\w.~-]+$/, 'is no id of an entry')
export const JobId = EntryId
export const EducationId = EntryId

// ── What clients send and see ──────────────────────────────────────────────────────────────────────────────────────────────────

const field = line(1, 120)
const month = word(7, /^\d{4}-(?:0[1-9]|1[0-2])$/, 'must be a month such as 2019-04', { examples: ['2019-04'] })
/** What is left out, or `null`, is not known. */
const unlessLeftOut = <T>(value: T | null | undefined): T | null => value ?? null
const common = {
  location: field.nullish().transform(unlessLeftOut),
  startDate: month.nullish().transform(unlessLeftOut),
  endDate: month.nullish().transform(unlessLeftOut),
  description: text(0, 2000)
    .nullish()
    .transform(value => value ?? ''),
}
export const JobDraft = z.object({ title: field, company: field, ...common })
export const EducationDraft = z.object({
  institution: field,
  degree: field,
  fieldOfStudy: field.nullish().transform(unlessLeftOut),
  ...common,
})

const commonShown = {
  location: z.string().nullable(),
  startDate: z.string().nullable().meta({ description: 'a month such as 2019-04' }),
  endDate: z.string().nullable().meta({ description: 'a month, not before `startDate`' }),
  description: z.string(),
}
export const Job = z.object({ id: z.string(), title: z.string(), company: z.string(), ...commonShown }).meta({ id: 'Job' })
export type Job = z.infer<typeof Job>
export const Education = z
  .object({ id: z.string(), institution: z.string(), degree: z.string(), fieldOfStudy: z.string().nullable(), ...commonShown })
  .meta({ id: 'Education' })
export type Education = z.infer<typeof Education>

// ── What is stored ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const table = 'users'
/** A job as its owner's partition holds it; its id is that of the command that added it. */
export const JobRow = Job.omit({ id: true }).extend({ userId: UserId, jobId: z.string(), changedAt: Time })
export type JobRow = z.infer<typeof JobRow>
export const job = row({ table, pk: 'user#{userId}', sk: 'job#{jobId}', subject: 'userId', value: JobRow })

export const EducationRow = Education.omit({ id: true }).extend({ userId: UserId, educationId: z.string(), changedAt: Time })
export type EducationRow = z.infer<typeof EducationRow>
export const education = row({ table, pk: 'user#{userId}', sk: 'education#{educationId}', subject: 'userId', value: EducationRow })

/** An entry that was removed, beside the lists: a late repeat of the command that added it runs into this. */
const RemovedEntry = z.object({ userId: UserId, entryId: z.string() })
export const removedEntry = row({ table, pk: 'user#{userId}', sk: 'removed#{entryId}', subject: 'userId', value: RemovedEntry })

const Career = z.object({ jobs: z.int(), education: z.int() })
/** How many entries a person has; the limits are held where they change. */
export const career = counter({
  table,
  pk: 'user#{userId}',
  sk: 'career',
  subject: 'userId',
  value: Career,
  initial: { jobs: 0, education: 0 },
})
