import type { Failpoint } from '../../actors/kernel/process/failpoints.ts'
import type { Ports } from '../../actors/kernel/process/ports.ts'

/** A life that can end at any moment: from then on nothing that it began has an effect, and nothing that it waits for ever comes. */
export const life = () => {
  let over = false
  const never = new Promise<never>(() => {})
  /** Before: a dead worker does nothing. After: it does not learn what came of what it did. */
  const mortal = <A extends unknown[], T>(work: (...args: A) => Promise<T>) => {
    return async (...args: A): Promise<T> => {
      if (over) return never
      const result = await work(...args)
      return over ? never : result
    }
  }
  let die = async () => {}
  const mortalPorts = ({ store, mailbox, events, backplane, jobs, clock }: Ports): Ports => {
    die = jobs.close
    return {
      store: { get: mortal(store.get), query: mortal(store.query), commit: mortal(store.commit) },
      events: { publish: mortal(events.publish) },
      backplane: { ...backplane, reply: mortal(backplane.reply), deliver: mortal(backplane.deliver), online: mortal(backplane.online) },
      // Its own: what a dead process is at comes back to others.
      jobs: { ...jobs, add: mortal(jobs.add) },
      clock: {
        now: clock.now,
        elapsed: clock.elapsed,
        sleep: mortal(clock.sleep),
        every: (ms, tick) => clock.every(ms, () => (over ? undefined : tick())),
      },
      mailbox: {
        send: mortal(mailbox.send),
        depth: mailbox.depth,
        consume: (queue, options, handler) =>
          mailbox.consume(queue, { ...options, ready: mortal(async () => options.ready?.()) }, deliveries =>
            mortal(handler)(deliveries.map(d => ({ ...d, ack: mortal(d.ack), extend: mortal(d.extend) }))),
          ),
      },
    }
  }
  const end = () => {
    over = true
    void die()
  }
  return { ports: mortalPorts, never, end, isOver: () => over }
}

/** Ends the life with a probability at every failpoint. */
export const reaper = (of: ReturnType<typeof life>, chance: () => boolean, died: () => void): Failpoint => {
  return async () => {
    if (of.isOver()) return of.never
    if (!chance()) return
    of.end()
    died()
    await of.never
  }
}
