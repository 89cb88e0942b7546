import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { counts } from '../access/counts.ts'
import { edgeProblem, overloaded } from '../request/problems.ts'

/**
 * What one person and one key may have at this edge without a reply. A key is a mailbox group: its commands are done one after the other.
 * @property perUser writes of a person
 * @property waitersPerKey those who wait for a key's replies; who comes then gets a 202 at once
 * @property perKey commands of a key
 */
export type UnsettledLimits = { readonly perUser: number; readonly waitersPerKey: number; readonly perKey: number }

/** Names the person whose command it is, and the actor and key to which it goes. */
export type Subject = { readonly user: string; readonly actor: string; readonly key: string }

/** A command between its arrival and its reply. */
type Entry = Subject & {
  /** The key with its actor. */
  readonly place: string
  /** When it came, and when its caller left without a reply (epoch ms). */
  readonly since: number
  leftAt: number
  counted: boolean
  id: string | undefined
}

/**
 * How long a command counts after its caller left. Replies are rarely lost while the backplane stands (a worker that dies is followed by one that answers
 * again), so this is how long a person or a key whose actor is away is held to its limit.
 */
const KEPT_MS = 300_000
/** Most commands counted after their callers left; beyond, the oldest count no more. */
const MAX_KEPT = 100_000
const RETRY_AFTER_S = 1

/** The commands without a reply. @param heard whether replies can reach this edge */
const commandLedger = (clock: Clock, heard: () => boolean) => {
  const users = counts()
  const keys = counts()
  const waiters = counts()
  /** Those whose callers wait, longest first. */
  const waiting = new Set<Entry>()
  /** All that were sent, by the id of their message. */
  const sent = new Map<string, Entry>()
  /** Those whose callers left, longest first. */
  const kept = new Set<Entry>()

  const stopWaiting = (entry: Entry) => {
    if (waiting.delete(entry)) waiters.remove(entry.place)
  }
  /** A command counts no more. */
  const release = (entry: Entry) => {
    stopWaiting(entry)
    kept.delete(entry)
    if (!entry.counted) return
    entry.counted = false
    users.remove(entry.user)
    keys.remove(entry.place)
    if (entry.id !== undefined) sent.delete(entry.id)
  }
  /** The caller of a command left without its reply. */
  const keep = (entry: Entry) => {
    stopWaiting(entry)
    if (!heard()) return release(entry)
    entry.leftAt = clock.elapsed()
    kept.add(entry)
  }
  /** Lets those go whose replies will not come. */
  const forget = (now: number) => {
    const deaf = !heard()
    for (const entry of kept) {
      if (!deaf && kept.size <= MAX_KEPT && entry.leftAt + KEPT_MS > now) return
      release(entry)
    }
  }
  const add = (entry: Entry, waits: boolean) => {
    users.add(entry.user)
    keys.add(entry.place)
    if (!waits) return
    waiters.add(entry.place)
    waiting.add(entry)
  }
  return { users, keys, waiters, waiting, sent, kept, add, release, keep, forget }
}

/**
 * Counts commands without a reply by person and by key, so that whoever asks for too much, or whatever key is asked too much of, is refused alone. A command
 * counts from its arrival to its reply, also after its caller has gone with a 202.
 * @param heard whether replies can reach this edge: while they cannot, their absence says nothing, and only those whose callers are here are counted
 */
export const unsettled = (clock: Clock, heard: () => boolean, limits: UnsettledLimits) => {
  const { users, keys, waiters, waiting, sent, kept, add, release, keep, forget } = commandLedger(clock, heard)
  const check = (user: string): void => {
    if (users.of(user) < limits.perUser) return
    throw edgeProblem('rate-limited', `${limits.perUser} of your writes have no reply yet; try again in ${RETRY_AFTER_S} s`, {
      'retry-after': String(RETRY_AFTER_S),
    })
  }
  const enter = (subject: Subject, wishesToWait: boolean) => {
    const since = clock.elapsed()
    forget(since)
    check(subject.user)
    const place = `${subject.actor} ${subject.key}`
    if (keys.of(place) >= limits.perKey) throw overloaded(`${limits.perKey} commands about the same thing have no reply yet`, RETRY_AFTER_S)
    const entry: Entry = { ...subject, place, since, leftAt: since, counted: true, id: undefined }
    const waits = wishesToWait && waiters.of(place) < limits.waitersPerKey
    add(entry, waits)
    return {
      /** Whether its caller may wait for the reply. */
      waits,
      /** Its message goes into the mailbox. */
      sentAs: (id: string): void => {
        // A request that sends a message again that another has sent, under its idempotency key, counts on its own, and only while it is here.
        if (!entry.counted || sent.has(id)) return
        entry.id = id
        sent.set(id, entry)
      },
      /** Its caller is answered. @param pending with a 202 */
      leave: (pending: boolean): void => {
        if (pending && entry.counted && entry.id !== undefined) keep(entry)
        else release(entry)
      },
    }
  }
  return {
    /** @throws EdgeProblem `rate-limited` when the person has as many writes without a reply as one may have */
    check: (user: string): void => {
      forget(clock.elapsed())
      check(user)
    },
    /**
     * A command comes.
     * @throws EdgeProblem `rate-limited` for the person, `overloaded` for the key
     */
    enter,
    /** The reply to a message has come. */
    resolve: (id: string): void => {
      const entry = sent.get(id)
      if (entry) release(entry)
    },
    /** Replies may have passed this edge by: those whose callers left count no more. */
    missed: (): void => {
      for (const entry of kept) release(entry)
    },
    /** Those whose callers wait, longest first. */
    waiting: (): Iterable<Subject & { readonly since: number }> => waiting,
    size: (): number => sent.size,
  }
}
export type Unsettled = ReturnType<typeof unsettled>
