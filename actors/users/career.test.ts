import { describe, expect, test } from 'vitest'
import { career, job, MAX_CAREER } from '../../contracts/career.ts'
import { granted } from '../kernel/testing/world.ts'
import { ann, bob, cem, nobody, village } from '../testing/village.ts'
import { userViews as views } from './queries.ts'

const smith = { title: 'Smith', company: 'Forge' }
const school = { institution: 'School', degree: 'Some' }
type World = ReturnType<typeof village>
const asks = (by: string, userId: string, w: World, limit = 100, after?: string) => ({ by, data: { userId }, now: w.now(), limit, after })

test('a job is added, replaced and removed by its owner', () => {
  const w = village(ann)
  const { id, status, body } = w.say(ann, 'job.add', { userId: ann, ...smith, startDate: '2019-04' })
  const added = { id, ...smith, location: null, startDate: '2019-04', endDate: null, description: '' }
  expect({ status, body }).toEqual({ status: 201, body: added })
  // What is left out of a PUT goes.
  const replaced = { ...added, title: 'Master smith', startDate: null, location: 'Ghent' }
  expect(w.say(ann, 'job.edit', { userId: ann, jobId: id, ...smith, title: 'Master smith', location: 'Ghent' })).toMatchObject({
    status: 200,
    body: replaced,
  })
  expect(w.say(ann, 'job.remove', { userId: ann, jobId: id }).status).toBe(204)
  expect(w.say(ann, 'job.edit', { userId: ann, jobId: id, ...smith }).refused).toBe('not-found')
  expect(w.say(ann, 'job.remove', { userId: ann, jobId: id })).toMatchObject({ status: 204, events: [] })
  expect(w.say(ann, 'job.remove', { userId: ann, jobId: 'never-was' }).status).toBe(204)
  expect(w.at(career.at({ userId: ann }))).toEqual({ jobs: 0, education: 0 })
})

test('education goes alike', () => {
  const w = village(ann)
  const { id, body } = w.say(ann, 'education.add', { userId: ann, ...school, fieldOfStudy: ' Law ', description: null })
  const added = { id, ...school, fieldOfStudy: 'Law', location: null, startDate: null, endDate: null, description: '' }
  expect(body).toEqual(added)
  expect(w.say(ann, 'education.edit', { userId: ann, educationId: id, ...school, degree: 'More' }).body).toEqual({
    ...added,
    degree: 'More',
    fieldOfStudy: null,
  })
  expect(w.say(ann, 'education.remove', { userId: ann, educationId: id }).status).toBe(204)
  expect(w.say(ann, 'education.edit', { userId: ann, educationId: id, ...school }).refused).toBe('not-found')
})

test('nothing ends before it starts; the month in which it starts will do', () => {
  const w = village(ann)
  const add = (dates: { startDate?: string; endDate?: string }) => [
    w.say(ann, 'job.add', { userId: ann, ...smith, ...dates }),
    w.say(ann, 'education.add', { userId: ann, ...school, ...dates }),
  ]
  const backwards = { startDate: '2020-02', endDate: '2020-01' }
  for (const { refused } of add(backwards)) expect(refused).toBe('validation-failed')
  for (const dates of [{ startDate: '2020-02', endDate: '2020-02' }, { endDate: '2020-01' }])
    for (const { status, id } of add(dates)) {
      expect(status).toBe(201)
      const { refused } = w.say(ann, 'job.edit', { userId: ann, jobId: id, ...smith, ...backwards })
      expect(refused).toBe('validation-failed')
    }
  for (const startDate of ['2020', '2020-13', '2020-00', '2020-01-01', 'May 2020', '']) expect(() => add({ startDate })).toThrow('month')
})

describe('who writes below whose path', () => {
  const w = village(ann, bob, cem)
  w.say(ann, 'user.block', { userId: cem })
  const { id } = w.say(ann, 'job.add', { userId: ann, ...smith })
  const { id: educationId } = w.say(ann, 'education.add', { userId: ann, ...school })
  const all = (by: string, userId: string) => [
    w.say(by, 'job.add', { userId, ...smith }).refused,
    w.say(by, 'job.edit', { userId, jobId: id, ...smith, title: 'Thief' }).refused,
    w.say(by, 'job.remove', { userId, jobId: id }).refused,
    w.say(by, 'education.add', { userId, ...school }).refused,
    w.say(by, 'education.edit', { userId, educationId, ...school, degree: 'None' }).refused,
    w.say(by, 'education.remove', { userId, educationId }).refused,
  ]
  test.each([
    ['others may know that it is not theirs', bob, ann, 'forbidden'],
    ['behind a block there is nobody', cem, ann, 'not-found'],
    ['either way', ann, cem, 'not-found'],
    ['nor is there who never was', bob, nobody, 'not-found'],
    ['without a profile nothing is written', nobody, nobody, 'profile-required'],
  ])('%s', (_, by, userId, code) => {
    expect(all(by, userId)).toEqual(Array(6).fill(code))
    expect(w.at(job.at({ userId: ann, jobId: id }))?.title).toBe('Smith')
  })
})

test('a hundred of each, and one more when one is gone', () => {
  const w = village(ann)
  const ids = Array.from({ length: MAX_CAREER.jobs }, () => w.say(ann, 'job.add', { userId: ann, ...smith }).id)
  expect(w.say(ann, 'job.add', { userId: ann, ...smith }).refused).toBe('job-limit-reached')
  for (let i = 0; i < MAX_CAREER.education; i++) expect(w.say(ann, 'education.add', { userId: ann, ...school }).status).toBe(201)
  expect(w.say(ann, 'education.add', { userId: ann, ...school }).refused).toBe('education-limit-reached')
  w.say(ann, 'job.remove', { userId: ann, jobId: ids[0] ?? '' })
  expect(w.say(ann, 'job.add', { userId: ann, ...smith }).status).toBe(201)
})

test('a repeat adds nothing, also of what was removed since, and a late message undoes nothing newer', () => {
  const w = village(ann)
  const at = (hour: number) => `2026-11-20T${hour}:00:00.000Z`
  const { id } = w.say(ann, 'job.add', { userId: ann, ...smith }, { at: at(10) })
  const again = () => w.say(ann, 'job.add', { userId: ann, ...smith }, { at: at(10), id, redriven: true })
  expect(again()).toMatchObject({ status: 201, body: { id }, events: [] })
  w.say(ann, 'job.edit', { userId: ann, jobId: id, ...smith, title: 'Newer' }, { at: at(12) })
  const late = { at: at(11), redriven: true }
  expect(w.say(ann, 'job.edit', { userId: ann, jobId: id, ...smith, title: 'Older' }, late)).toMatchObject({
    body: { title: 'Newer' },
    events: [],
  })
  expect(w.say(ann, 'job.remove', { userId: ann, jobId: id }, late)).toMatchObject({ status: 204, events: [] })
  w.say(ann, 'job.remove', { userId: ann, jobId: id }, { at: at(13) })
  expect(again()).toMatchObject({ status: 201, body: { id }, events: [] })
  expect(w.at(career.at({ userId: ann })).jobs).toBe(0)
})

test('lists have the newest start first and entries without one last, in pages, for everybody who may know of the person', async () => {
  const w = village(ann, bob, cem)
  const starts = ['2019-04', null, '2021-01', '2019-04', null]
  const [a = '', b = '', c = '', d = '', e = ''] = starts.map(startDate => w.say(ann, 'job.add', { userId: ann, ...smith, startDate }).id)
  const [f = '', g = ''] = [null, '2001-09'].map(startDate => w.say(ann, 'education.add', { userId: ann, ...school, startDate }).id)
  w.say(cem, 'user.block', { userId: ann })
  const read = await w.read()
  for (const by of [ann, bob]) {
    const paged: string[] = []
    for (let after: string | undefined; ; ) {
      const { items, next } = granted(await views['job.list'](asks(by, ann, w, 2, after), read))
      paged.push(...items.map(i => i.id))
      if (next === null) break
      after = next
    }
    expect(paged).toEqual([c, d, a, e, b])
    expect(granted(await views['education.list'](asks(by, ann, w), read)).items.map(i => i.id)).toEqual([g, f])
  }
  for (const userId of [ann, nobody]) {
    expect(await views['job.list'](asks(cem, userId, w), read)).toMatchObject({ refused: 'not-found' })
    expect(await views['education.list'](asks(cem, userId, w), read)).toMatchObject({ refused: 'not-found' })
  }
})
