import { pino } from 'pino'
import { Registry } from 'prom-client'
import type { ActorCode } from '../../actors/kernel/authoring/implement.ts'
import { reader } from '../../actors/kernel/authoring/reader.ts'
import { memoryBackplane } from '../../actors/kernel/ports/backplane/memory.ts'
import { virtualClock } from '../../actors/kernel/ports/clock/virtual.ts'
import { memoryBus } from '../../actors/kernel/ports/events/memory.ts'
import { jobsHub, memoryJobs } from '../../actors/kernel/ports/jobs/memory.ts'
import { type MailboxFaults, memoryMailbox } from '../../actors/kernel/ports/mailbox/memory.ts'
import { Unsendable } from '../../actors/kernel/ports/mailbox/port.ts'
import { memoryStore } from '../../actors/kernel/ports/store/memory.ts'
import { metrics } from '../../actors/kernel/process/metrics.ts'
import type { Ports } from '../../actors/kernel/process/ports.ts'
import { lambdaHandler } from '../../actors/kernel/worker/lambda.ts'
import { startWorker } from '../../actors/kernel/worker/worker.ts'
import { catalog } from '../../actors/testing/catalog.ts'
import type { Envelope, EventEnvelope, Reply } from '../../contracts/declare/envelope.ts'
import { groupOf } from '../../contracts/declare/messages.ts'
import type { Mesh } from '../../contracts/derive/mesh.ts'
import { mesh as product } from '../../contracts/mesh.ts'
import { seeded } from '../../load-tests/seed/random.ts'
import { eventSource } from './event-source.ts'
import { life, reaper } from './mortal.ts'
export type Faults = {
  /** That a worker dies at a failpoint. */
  readonly crash: number
  /** That a commit succeeds and its answer is lost. */
  readonly lostAnswer: number
  /** That a message or an event comes twice, and how late it may come (ms). */
  readonly duplicate: number
  readonly delayMs: number
  /** That publishing fails. */
  readonly publish: number
}
/** What runs the actors: processes that poll, or functions that are invoked. */
export type HostKind = 'worker' | 'lambda'
export const HOSTS: readonly HostKind[] = ['worker', 'lambda']
export const CALM: Faults = { crash: 0, lostAnswer: 0, duplicate: 0, delayMs: 0, publish: 0 }

const START = Date.parse('2026-03-02T09:00:00.000Z')
const RESTART_MS = 300
const NATURALLY_ONCE = /"type":"(comment\.add|post\.publish|post\.sweep|user\.register)"/

/** A whole mesh but for its edge in one process, on virtual time, with in-memory ports and a seed: what goes wrong goes wrong again alike. */
export const world = async (
  seed: number,
  wanted: Faults = CALM,
  codes: readonly ActorCode[] = catalog,
  host: HostKind = 'worker',
  mesh: Mesh = product,
) => {
  let faults = wanted
  let storeDown = false
  let refused = ''
  const random = seeded(seed)
  const chance = (p: number) => p > 0 && random() < p
  const clock = virtualClock(START)
  const store = memoryStore({
    clock,
    fault: (operation, phase) => {
      if (storeDown) throw new Error('the store does not answer')
      if (operation === 'commit' && phase === 'after' && chance(faults.lostAnswer)) throw new Error('the answer of a commit was lost')
    },
  })
  const unreliable: MailboxFaults = {
    // Nobody sends a toggle twice under one id but for a claim, which the turn checks; what is keyed by its command's id bears it at any time.
    duplicate: (queue, m) => (chance(faults.duplicate) && (!queue.endsWith('.fifo') || NATURALLY_ONCE.test(m.body)) ? 1 : 0),
    delay: () => (faults.delayMs > 0 ? random() * faults.delayMs : 0),
  }
  const mailbox = memoryMailbox({ clock, random, faults: unreliable })
  const bus = memoryBus({ mailbox, topology: mesh.topology('') })
  const published: EventEnvelope[] = []
  const events = {
    publish: async (batch: Parameters<typeof bus.publish>[0]) => {
      if (chance(faults.publish)) throw new Error('events cannot be published')
      if (batch.some(e => refused !== '' && e.body.includes(refused))) throw new Unsendable(`the topic refuses ${refused}`)
      published.push(...batch.map(e => JSON.parse(e.body) as EventEnvelope))
      await bus.publish(batch)
    },
  }
  const backplane = memoryBackplane({ clock })
  const hub = jobsHub()
  const jobs = () => memoryJobs({ clock, random, hub })
  /** By how much the wall clocks of the workers' hosts are ahead. */
  let skewMs = 0
  const ports: Ports = { store, mailbox, events, backplane, jobs: jobs(), clock: { ...clock, now: () => clock.now() + skewMs } }

  const replies = new Map<string, Reply[]>()
  await backplane.join('edge', {
    reply: (id, reply) => void replies.set(id, [...(replies.get(id) ?? []), reply]),
    live: () => {},
  })

  let deaths = 0
  const registry = new Registry()
  const counted = metrics(mesh, registry)
  const log = pino({ level: 'silent' })
  const startWorkerOf = (code: ActorCode) => {
    const one = life()
    const again = async () => {
      deaths++
      await clock.sleep(RESTART_MS)
      startWorkerOf(code)
    }
    const failpoint = reaper(
      one,
      () => chance(faults.crash),
      () => void again(),
    )
    startWorker({
      mesh,
      code,
      ports: one.ports({ ...ports, jobs: jobs() }),
      config: { CONCURRENCY: 8, POLLERS: 2, FAILPOINTS: '' },
      log,
      metrics: counted,
      random,
      failpoint,
    })
  }
  const startContainerOf = (code: ActorCode) => {
    const one = life()
    let died = () => {}
    const death = new Promise<void>(resolve => {
      died = () => {
        deaths++
        resolve()
      }
    })
    const failpoint = reaper(one, () => chance(faults.crash), died)
    const own = one.ports({ ...ports, jobs: jobs() })
    return {
      handler: lambdaHandler({ mesh, code, ports: own, concurrency: 8, prefix: '', log, metrics: counted, random, failpoint }),
      death,
    }
  }
  const start = (code: ActorCode) => {
    if (host === 'worker') return startWorkerOf(code)
    const { name, commands, subscribes } = code.declaration
    const queues = [...(Object.keys(commands).length > 0 ? [`${name}.fifo`] : []), ...(subscribes.length > 0 ? [`${name}-events`] : [])]
    for (const queue of queues) eventSource({ mailbox, clock, queue, start: () => startContainerOf(code) })
  }
  for (const code of codes) start(code)

  let sent = 0
  /** Sends a command as an edge would. @returns its id */
  const send = async (type: string, by: string, data: unknown, extra: Partial<Envelope> & { redriven?: boolean } = {}): Promise<string> => {
    const found = mesh.commands.get(type)
    if (!found) throw new Error(`no command ${type}`)
    const id = extra.id ?? `m${String(++sent).padStart(6, '0')}`
    const at = extra.at ?? new Date(clock.now()).toISOString()
    const key = groupOf(found.command, { id, by, at, data: found.command.data.parse(data) })
    const reply = { to: 'edge', until: Number.MAX_SAFE_INTEGER, durable: false }
    const trace = { request: id, cause: null, traceparent: null }
    const { redriven, ...over } = extra
    const envelope: Envelope = { v: 1, id, type, key, by, at, data, reply, trace, ...over }
    const attributes = redriven ? { attributes: { redriven: 'true' } } : {}
    await mailbox.send(`${found.actor.name}.fifo`, { id, group: key, body: JSON.stringify(envelope), ...attributes })
    return id
  }

  return {
    clock,
    random,
    ports,
    store,
    read: reader(store),
    replies,
    published,
    registry,
    send,
    deaths: () => deaths,
    mailbox,
    set: (now: Partial<Faults>) => {
      faults = { ...faults, ...now }
    },
    setSkew: (ms: number) => {
      skewMs = ms
    },
    /** No topic takes events with this text any more. */
    refuseEvents: (text: string) => {
      refused = text
    },
    setStoreDown: (down: boolean) => {
      storeDown = down
    },
    /** No more faults; lets everything under way come to its end. */
    calm: async (ms = 300_000) => {
      faults = CALM
      await clock.advance(ms)
    },
    /** Messages that wait or are in flight, and dead letters, over all queues. */
    left: async () => {
      const t = mesh.topology('')
      const queues = [...t.mailboxes.map(m => m.queue), ...t.subscribers.map(h => h.queue)]
      const dead = [...t.mailboxes.map(m => m.dead), ...t.subscribers.map(h => h.dead)]
      const count = async (names: readonly string[]) => {
        const depths = await Promise.all(names.map(name => mailbox.depth(name)))
        return depths.reduce((sum, d) => sum + d.waiting + d.inFlight, 0)
      }
      return { queued: await count(queues), dead: await count(dead) }
    },
  }
}
export type World = Awaited<ReturnType<typeof world>>
