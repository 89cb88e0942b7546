import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Client, meet } from '../../contracts/client/client.ts'
import { type RunningMesh, startMesh } from '../../deploy/embedded/mesh.ts'
import { fill, PASSWORD } from './fill.ts'
import { BadFlag, readFlags } from './flags.ts'
import { plan } from './plan.ts'

describe('a plan', () => {
  test('is the same for the same numbers, and another for another seed', () => {
    expect(plan(40, 7)).toEqual(plan(40, 7))
    expect(plan(40, 7)).not.toEqual(plan(40, 8))
  })

  test.each([2, 3, 8, 100])('of %i people has no friendship twice, none with oneself, and leaves nobody alone', count => {
    const { people, friends, reactions } = plan(count, 1)
    expect(people).toHaveLength(count)
    expect(new Set(people.map(p => p.email)).size).toBe(count)
    expect(new Set(friends.map(([a, b]) => `${a}-${b}`)).size).toBe(friends.length)
    expect(friends.every(([a, b]) => a < b && b < count)).toBe(true)
    expect(new Set(friends.flat()).size).toBe(count)
    expect(reactions).toHaveLength(friends.length * 2)
  })
})

test.each([['--people', '1'], ['--people', 'many'], ['--url', 'here'], ['--seed', '-1'], ['--nothing']])('%s %s is refused', (...flags) => {
  expect(() => readFlags(flags.filter(f => f !== undefined))).toThrow(BadFlag)
})

describe('a mesh that runs', () => {
  let mesh: RunningMesh
  beforeAll(async () => {
    mesh = await startMesh({ port: 0, settings: { LOG_LEVEL: 'warn' }, logTo: { write: () => {} } })
  })
  afterAll(() => mesh?.stop())

  test('is filled as planned, and a second run adds nothing', async () => {
    const planned = plan(8, 3)
    const met = await meet(mesh.url)
    const told: string[] = []
    const first = await fill(met, planned, (what, done, of) => void (done === of && told.push(what)))
    const likes = planned.reactions.filter(r => r.like).length
    const comments = planned.reactions.reduce((sum, r) => sum + r.comments.length, 0)
    const friendships = planned.friends.length
    expect(first).toEqual({ signedUp: 8, known: 0, friendships, published: 8, posted: 0, likes, comments })
    expect(told).toEqual(['people', 'friendships', 'posts', 'likes and comments'])
    const look = async (client: Client) => {
      const { items } = await client.ask('timeline.get', { include: 'self' })
      return items.map(post => [post.id, post.likeCount, post.commentCount]).sort()
    }
    const eye = await met.signIn({ email: planned.people[0]?.email ?? '', password: PASSWORD })
    const seen = await look(eye)
    expect(seen.length).toBe(planned.friends.filter(([a, b]) => a === 0 || b === 0).length + 1)

    const second = await fill(met, planned, () => {})
    expect(second).toEqual({ ...first, signedUp: 0, known: 8, published: 0, posted: 8 })
    expect(await look(eye)).toEqual(seen)
  }, 120_000)
})
