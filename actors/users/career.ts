import { isDeepStrictEqual } from 'node:util'
import {
  career,
  type Education,
  type EducationRow,
  education,
  type Job,
  type JobRow,
  job,
  MAX_CAREER,
  removedEntry,
} from '../../contracts/career.ts'
import { refuse, superseded } from '../../contracts/declare/rules.ts'
import { type Pair, type User, users } from '../../contracts/users.ts'
import { part, tombstoneUntil } from '../kernel/authoring/rule.ts'
import { noSuchPerson, profileRequired, standing } from './views.ts'

type Act = { readonly by: string; readonly data: { readonly userId: string } }
type People = { readonly them: User; readonly pair: Pair }

/** Why somebody may not write below a person's path; undefined for the person themselves. */
const denied = (me: User, m: Act, { them, pair }: People) => {
  if (me.status !== 'live') return profileRequired
  if (m.by === m.data.userId) return undefined
  if (standing(m.by, m.data.userId, them, pair) === 'hidden') return noSuchPerson
  return refuse('forbidden', 'this is below somebody else’s path: write below /v1/users/me')
}

type Dates = { readonly startDate: string | null; readonly endDate: string | null }
/** Nothing ends before it starts. */
const endsFirst = ({ startDate, endDate }: Dates) =>
  startDate !== null && endDate !== null && endDate < startDate
    ? refuse('validation-failed', `${endDate} is before ${startDate}`, [{ pointer: '/endDate', message: 'must not be before startDate' }])
    : undefined

type Said<D> = { readonly by: string; readonly at: string; readonly data: D }
const jobRow = (jobId: string, { by, at, data: d }: Said<Omit<Job, 'id'>>): JobRow => ({
  userId: by,
  jobId,
  title: d.title,
  company: d.company,
  location: d.location,
  startDate: d.startDate,
  endDate: d.endDate,
  description: d.description,
  changedAt: at,
})
const educationRow = (educationId: string, { by, at, data: d }: Said<Omit<Education, 'id'>>): EducationRow => ({
  userId: by,
  educationId,
  institution: d.institution,
  degree: d.degree,
  fieldOfStudy: d.fieldOfStudy,
  location: d.location,
  startDate: d.startDate,
  endDate: d.endDate,
  description: d.description,
  changedAt: at,
})
export const jobBody = ({ userId: _, jobId, changedAt: __, ...shown }: JobRow): Job => ({ id: jobId, ...shown })
export const educationBody = ({ userId: _, educationId, changedAt: __, ...shown }: EducationRow): Education => ({
  id: educationId,
  ...shown,
})

/** Whether an entry says the same as another, whenever it was said. */
const same = <R extends { readonly changedAt: string }>(one: R, other: R) =>
  isDeepStrictEqual({ ...one, changedAt: other.changedAt }, other)

const tooManyJobs = refuse('job-limit-reached', `nobody can have more than ${MAX_CAREER.jobs} jobs: remove one first`)
const tooMuchEducation = refuse(
  'education-limit-reached',
  `nobody can have more than ${MAX_CAREER.education} entries of education: remove one first`,
)
const noSuchJob = refuse('not-found', 'you have no such job')
const noSuchEducation = refuse('not-found', 'you have no such entry of education')

export const jobs = part(users, {
  decide: {
    'job.add': (me, m, { job, removed, career, ...people }) => {
      const refusal = denied(me, m, people) ?? endsFirst(m.data)
      if (refusal) return refusal
      if (job !== undefined || removed !== undefined) return []
      return career.jobs >= MAX_CAREER.jobs ? tooManyJobs : [{ type: 'job.added', data: jobRow(m.id, m) }]
    },
    'job.edit': (me, m, { job, ...people }) => {
      const refusal = denied(me, m, people) ?? endsFirst(m.data)
      if (refusal) return refusal
      if (job === undefined) return noSuchJob
      const now = jobRow(job.jobId, m)
      return superseded(m, job.changedAt) || same(now, job) ? [] : [{ type: 'job.edited', data: now }]
    },
    'job.remove': (me, m, { job, ...people }) => {
      const refusal = denied(me, m, people)
      if (refusal) return refusal
      if (job === undefined || superseded(m, job.changedAt)) return []
      return [{ type: 'job.removed', data: { userId: m.by, jobId: job.jobId } }]
    },
  },
  apply: {
    'job.added': (me, { data }) => ({
      state: me,
      writes: [job.put(data), career.add({ userId: data.userId }, { jobs: 1 }, { jobs: MAX_CAREER.jobs })],
    }),
    'job.edited': (me, { data }) => ({ state: me, writes: [job.put(data)] }),
    'job.removed': (me, { at, data: { userId, jobId } }) => ({
      state: me,
      writes: [
        job.remove({ userId, jobId }),
        removedEntry.put({ userId, entryId: jobId }, tombstoneUntil(at)),
        career.add({ userId }, { jobs: -1 }),
      ],
    }),
  },
  // Total: a repeat may come when the entry is gone, and is told of its own words.
  answer: {
    'job.add': (_, m, { job }) => ({ status: 201, body: jobBody(job ?? jobRow(m.id, m)) }),
    'job.edit': (_, m, { job }) => ({ status: 200, body: jobBody(job ?? jobRow(m.data.jobId, m)) }),
    'job.remove': () => ({ status: 204, body: undefined }),
  },
})

export const educations = part(users, {
  decide: {
    'education.add': (me, m, { entry, removed, career, ...people }) => {
      const refusal = denied(me, m, people) ?? endsFirst(m.data)
      if (refusal) return refusal
      if (entry !== undefined || removed !== undefined) return []
      return career.education >= MAX_CAREER.education ? tooMuchEducation : [{ type: 'education.added', data: educationRow(m.id, m) }]
    },
    'education.edit': (me, m, { entry, ...people }) => {
      const refusal = denied(me, m, people) ?? endsFirst(m.data)
      if (refusal) return refusal
      if (entry === undefined) return noSuchEducation
      const now = educationRow(entry.educationId, m)
      return superseded(m, entry.changedAt) || same(now, entry) ? [] : [{ type: 'education.edited', data: now }]
    },
    'education.remove': (me, m, { entry, ...people }) => {
      const refusal = denied(me, m, people)
      if (refusal) return refusal
      if (entry === undefined || superseded(m, entry.changedAt)) return []
      return [{ type: 'education.removed', data: { userId: m.by, educationId: entry.educationId } }]
    },
  },
  apply: {
    'education.added': (me, { data }) => ({
      state: me,
      writes: [education.put(data), career.add({ userId: data.userId }, { education: 1 }, { education: MAX_CAREER.education })],
    }),
    'education.edited': (me, { data }) => ({ state: me, writes: [education.put(data)] }),
    'education.removed': (me, { at, data: { userId, educationId } }) => ({
      state: me,
      writes: [
        education.remove({ userId, educationId }),
        removedEntry.put({ userId, entryId: educationId }, tombstoneUntil(at)),
        career.add({ userId }, { education: -1 }),
      ],
    }),
  },
  answer: {
    'education.add': (_, m, { entry }) => ({ status: 201, body: educationBody(entry ?? educationRow(m.id, m)) }),
    'education.edit': (_, m, { entry }) => ({ status: 200, body: educationBody(entry ?? educationRow(m.data.educationId, m)) }),
    'education.remove': () => ({ status: 204, body: undefined }),
  },
})
