import { afterEach, expect, test } from 'vitest'
import { FAILPOINTS } from '../actors/kernel/process/failpoints.ts'
import { type RunningMesh, startMesh } from '../deploy/embedded/mesh.ts'
import { processNames } from '../deploy/embedded/names.ts'
import { collected } from './people.ts'
import { meetCounting } from './story/counting.ts'
import { allOf, gather, publications, reactions } from './story/crowd.ts'
import { listen } from './story/ears.ts'
import { compare, hear } from './story/kills.ts'
import { nothing, told } from './story/told.ts'
import { until } from './until.ts'
import { sampled } from './whole.ts'

/** How many are at work; and how much a process does before it dies, so that each of its lives falls into the work. */
const CROWD = sampled({ people: 6, worker: 12, edge: [70, 30] }, { people: 4, worker: 8, edge: [35, 18] })
/** Where a worker dies, one incarnation after another. */
const WORKER_POINTS = FAILPOINTS.filter(p => p !== 'after-claim')

let mesh: RunningMesh
let logged: string[] = []
const start = async (failpoints: Readonly<Record<string, string>>) => {
  logged = []
  const logTo = { write: (line: string) => void logged.push(line) }
  mesh = await startMesh({ port: 0, processes: true, failpoints, settings: { LOG_LEVEL: 'warn' }, logTo })
  return (await meetCounting(mesh.url)).mesh
}
afterEach(() => mesh?.stop())

const restarts = () => Object.fromEntries(mesh.pids().map(p => [p.name, p.restarts]))
const died = async (times: Readonly<Record<string, number>>) => {
  await until('nobody is away', () => (mesh.pids().length === processNames.length ? true : undefined))
  expect(restarts()).toEqual({ ...Object.fromEntries(processNames.map(name => [name, 0])), ...times })
  for (const [name, n] of Object.entries(times))
    expect(logged.filter(line => line.includes(`${name} ended (killed by SIGKILL)`))).toHaveLength(n)
}

test('a worker killed with kill -9 at every failpoint: acknowledged commands took effect once, events were delivered, counts are exact', async () => {
  const met = await start({ posts: WORKER_POINTS.map(point => `${point}=kill@${CROWD.worker}`).join(';') })
  const people = await gather(met, CROWD.people)
  const devices = await Promise.all(people.map(async person => ({ person, ears: await listen(person.client) })))
  const acknowledged = nothing()
  const { teller, wrong } = told()
  await allOf(publications(people, acknowledged), 24, () => {})
  await allOf(reactions(people, acknowledged), 24, () => {})
  await died({ posts: WORKER_POINTS.length })
  expect(acknowledged.refused).toBe(people.length)
  await compare(people, acknowledged, teller)
  await hear(devices, acknowledged, teller)
  for (const { ears } of devices) ears.stream.close()
  expect(wrong()).toEqual([])
  expect(logged.filter(line => line.includes('dead letter'))).toEqual([])
}, 240_000)

test('an edge killed with kill -9 between an idempotency claim and its message: the repeat does it, once', async () => {
  const met = await start({ edge: CROWD.edge.map(n => `after-claim=kill@${n}`).join(';') })
  const people = await gather(met, CROWD.people)
  const acknowledged = nothing()
  await allOf(publications(people, acknowledged), 24, () => {})
  const [first] = people
  const postId = acknowledged.posts.get(first?.client.userId ?? '') ?? ''
  const said: string[] = []
  const comment = (client: (typeof people)[number]['client'], n: number) => async () => {
    said.push((await client.send('comment.add', { postId, content: `${n}` }, { patience: 60_000 })).id)
  }
  const jobs = people.flatMap(({ client }) => Array.from({ length: 10 }, (_, n) => comment(client, n)))
  await allOf(jobs, 12, () => {})
  await died({ edge: 2 })
  const listed = await collected(first?.client.each('comment.list', { postId }) ?? (async function* () {})())
  expect(said).toHaveLength(people.length * 10)
  expect(listed.map(c => c.id).sort()).toEqual(said.sort())
}, 240_000)
