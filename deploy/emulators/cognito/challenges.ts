import { randomBytes } from 'node:crypto'

/** Cognito's default time for an answer to a challenge. */
const CHALLENGE_MS = 3 * 60_000
/** The next one ends the oldest: of one name, and of all. */
const MAX_CHALLENGES_OF_ONE = 10
const MAX_CHALLENGES = 10_000
const ID_BYTES = 48

type Open<T> = { readonly name: string; readonly until: number; readonly value: T }

export type Challenges<T> = {
  /** @returns what the answer has to name; nobody can guess it */
  open(name: string, value: T): string
  /** The challenge that is answered: once only, and in time. */
  take(id: string): T | undefined
}

/**
 * Challenges that wait for their answers, in memory: after a restart the client begins anew.
 * @param now epoch ms
 */
export function openChallenges<T>(now: () => number): Challenges<T> {
  const open = new Map<string, Open<T>>()
  const ofName = new Map<string, string[]>()

  const remove = (id: string): Open<T> | undefined => {
    const found = open.get(id)
    if (found === undefined) return undefined
    open.delete(id)
    const left = ofName.get(found.name)?.filter(each => each !== id) ?? []
    if (left.length === 0) ofName.delete(found.name)
    else ofName.set(found.name, left)
    return found
  }
  const removeFirst = (ids: Iterable<string>, count: number, max: number): void => {
    if (count <= max) return
    for (const id of ids) return void remove(id)
  }

  return {
    open(name, value) {
      const id = randomBytes(ID_BYTES).toString('base64')
      open.set(id, { name, until: now() + CHALLENGE_MS, value })
      const mine = [...(ofName.get(name) ?? []), id]
      ofName.set(name, mine)
      removeFirst(mine, mine.length, MAX_CHALLENGES_OF_ONE)
      removeFirst(open.keys(), open.size, MAX_CHALLENGES)
      return id
    },
    take(id) {
      const found = remove(id)
      return found !== undefined && now() < found.until ? found.value : undefined
    },
  }
}
