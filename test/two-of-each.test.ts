import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { environment, readConfig, silenceNodeNotice } from '../actors/kernel/config/config.ts'
import { freePort } from '../actors/kernel/process/free-port.ts'
import { type Client, type MeshClient, meet } from '../contracts/client/client.ts'
import { mesh } from '../contracts/mesh.ts'
import { type Provisioned, startProvisioned } from '../deploy/embedded/provisioned.ts'
import { findRedisServer } from '../deploy/emulators/redis-server/start.ts'
import { befriend, collected, join } from './people.ts'
import { allOf, gather, publications, reactionCount, reactions } from './story/crowd.ts'
import { listen } from './story/ears.ts'
import { compare, hear } from './story/kills.ts'
import { nothing, told } from './story/told.ts'
import { balanced } from './two-of-each/balanced.ts'
import { launcher, type Process } from './two-of-each/processes.ts'
import { until } from './until.ts'
import { sampled } from './whole.ts'

silenceNodeNotice()
const found = (await findRedisServer('redis-server')) !== undefined
if (!found) console.warn('\n*** redis-server is not on the PATH: two of each were NOT tried on a real Redis ***\n')
const REDIS = [{ name: 'embedded', program: 'none' }, ...(found ? [{ name: 'redis-server', program: 'redis-server' }] : [])]

describe.each(REDIS)('two edges and two workers of each actor on one Redis ($name)', { timeout: 180_000 }, ({ program }) => {
  let folder: string
  let engines: Provisioned
  let processes: ReturnType<typeof launcher>
  let edges: Process[]
  let workers: Process[]
  let urls: string[]

  beforeAll(async () => {
    folder = await mkdtemp(path(tmpdir(), 'dailygrind-two-'))
    // The embedded queues forget a poll that is cut.
    const settings = {
      WORKER_DRAIN_MS: '8000',
      EMBEDDED: 'true',
      LOG_LEVEL: 'warn',
      REDIS_SERVER: program,
      EDGE_SECRET: 'the same secret for both of the edges',
    }
    const config = readConfig(environment(settings), mesh)
    engines = await startProvisioned({ config, settings, data: folder, log: pino({ level: 'silent' }) })
    processes = launcher({ ...settings, ...engines.settings })
    const ports = [await freePort(), await freePort()]
    urls = ports.map(port => `http://127.0.0.1:${port}`)
    ;[edges, workers] = await Promise.all([
      Promise.all(ports.map(processes.edge)),
      Promise.all(mesh.actors.flatMap(({ name }) => [processes.worker(name), processes.worker(name)])),
    ])
  }, 180_000)
  afterAll(async () => {
    await processes?.end()
    await engines?.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** One person, signed in at both edges. */
  const atBoth = async (name: string): Promise<[Client, Client]> => {
    const [one, two] = await Promise.all(urls.map(url => meet(url)))
    if (!one || !two) throw new Error('there are two edges')
    const keep: Client[] = []
    const both: MeshClient = {
      ...one,
      signIn: async credentials => {
        keep.push(await two.signIn(credentials))
        return one.signIn(credentials)
      },
    }
    const first = await join(both, name)
    const [second] = keep
    if (!second) throw new Error(`${name} did not sign in`)
    return [first, second]
  }
  const published = async (client: Client) => (await client.send('post.publish', { title: 'Two of each', content: 'One mesh' })).id
  const handled = async ({ operations }: Process) => {
    const text = await (await fetch(`${operations}/metrics`)).text()
    return [...text.matchAll(/^dailygrind_messages_handled_total\{.*\} (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0)
  }

  test('each caller gets the reply to what it said, at the edge where it said it, whichever worker took it', async () => {
    const people = await Promise.all(['Ana', 'Ben', 'Chi', 'Dee'].map(atBoth))
    const said = people.flatMap(([one, two], p) =>
      [one, two].flatMap((client, e) =>
        Array.from({ length: 10 }, async (_, n) => {
          const headline = `person ${p} edge ${e} number ${n}`
          const { status, text } = await client.exchange('user.edit', { headline }, { headers: { prefer: 'wait=20' } })
          return { said: headline, status, told: JSON.parse(text).headline }
        }),
      ),
    )
    for (const answer of await Promise.all(said)) expect(answer).toEqual({ said: answer.said, status: 200, told: answer.said })
    const each = await Promise.all(workers.filter(w => w.name === 'users').map(handled))
    expect(each.filter(n => n > 0)).toHaveLength(2)
  })

  test('live events reach the devices of a person at both edges, once each', async () => {
    const [[ana, anaAtTwo], [ben, benAtTwo]] = await Promise.all([atBoth('Ana'), atBoth('Ben')])
    await befriend(ana, ben)
    const devices = await Promise.all([ana, ana, anaAtTwo, benAtTwo].map(listen))
    const postId = await published(ana)
    const comments: string[] = []
    for (let n = 0; n < 10; n++) {
      comments.push((await (n % 2 ? ben : benAtTwo).send('comment.add', { postId, content: `Number ${n}` })).id)
      await (n % 2 ? benAtTwo : ben).send(n % 2 ? 'post.unlike' : 'post.like', { postId })
    }
    await ana.send('post.edit', { postId, title: 'The last word' })
    for (const device of devices) {
      await device.hears('post.published', p => p.id === postId)
      for (const id of comments) await device.hears('comment.added', c => c.comment.id === id)
      await device.hears('post.edited', p => p.title === 'The last word')
      expect([...device.raw.values()].filter(times => times !== 1)).toEqual([])
      expect([device.losses(), device.nonsense]).toEqual([0, []])
      device.stream.close()
    }
  })

  test('a repeated Idempotency-Key on both edges at once takes effect once, and both are told the same', async () => {
    const [one, two] = await atBoth('Ana')
    const postId = await published(one)
    const repeats = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const say = (client: Client) => client.exchange('comment.add', { postId, content: `Number ${n}` }, { key: `key-${n}` })
        return Promise.all([say(one), say(two)])
      }),
    )
    for (const answers of repeats) {
      expect(answers.map(a => a.status)).toEqual([201, 201])
      expect(new Set(answers.map(a => a.text)).size).toBe(1)
      expect(answers.filter(a => a.headers.get('idempotency-replayed') === 'true')).toHaveLength(1)
    }
    const listed = await collected(two.each('comment.list', { postId }))
    expect(listed.map(c => c.content).sort()).toEqual(Array.from({ length: 20 }, (_, n) => `Number ${n}`).sort())
    expect((await one.ask('post.get', { postId })).commentCount).toBe(20)
    const other = await two.exchange('comment.add', { postId, content: 'Something else' }, { key: 'key-0' })
    expect([other.status, JSON.parse(other.text).code]).toEqual([422, 'idempotency-key-reused'])
  })

  /** A crowd at work behind both edges; `befall` is done in the middle of it. Then every acknowledged command is held against what is there. */
  const whileAtWork = async (befall: () => Promise<void>) => {
    const people = await gather(await balanced(urls), sampled(6, 4))
    const devices = await Promise.all(people.map(async person => ({ person, ears: await listen(person.client) })))
    const [acknowledged, { teller, wrong }] = [nothing(), told()]
    let answered = 0
    const done = () => {
      answered += 1
    }
    await allOf(publications(people, acknowledged), 24, done)
    const befallen = until('a third of the work', () => (answered > reactionCount(people.length) / 3 ? true : undefined), 120_000).then(
      befall,
    )
    await Promise.all([allOf(reactions(people, acknowledged), 24, done), befallen])
    await compare(people, acknowledged, teller)
    await hear(devices, acknowledged, teller)
    for (const { ears } of devices) ears.stream.close()
    expect(wrong()).toEqual([])
    expect(devices.filter(d => d.ears.losses() === 0).length).toBeGreaterThanOrEqual(people.length / 2)
  }
  const firstOf = (all: readonly Process[]) => all.filter((p, i) => all.findIndex(q => q.name === p.name) === i)

  test('one of each told to go under load (SIGTERM) finishes what it has and ends with code 0; nothing is lost', async () => {
    const leaving = [...firstOf(workers), ...firstOf(edges)]
    await whileAtWork(async () => {
      expect(await Promise.all(leaving.map(p => p.signal('SIGTERM')))).toEqual(leaving.map(() => 0))
      const port = Number(new URL(urls[0] ?? '').port)
      const taken = [...mesh.actors.map(a => processes.worker(a.name)), processes.edge(port)]
      const successors = await Promise.all(taken)
      workers = [...workers.filter(w => !leaving.includes(w)), ...successors.filter(p => p.name !== 'edge')]
      edges = [...edges.filter(e => !leaving.includes(e)), ...successors.filter(p => p.name === 'edge')]
    })
  })

  test('one of each killed under load (SIGKILL): those that are left do it all, once', async () => {
    const victims = [...firstOf(workers), ...firstOf(edges)]
    await whileAtWork(async () => {
      expect(await Promise.all(victims.map(p => p.signal('SIGKILL')))).toEqual(victims.map(() => 'SIGKILL'))
    })
  })
})
