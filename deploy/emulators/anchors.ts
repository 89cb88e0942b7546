import { type BigIntStats, statSync } from 'node:fs'

export type Anchors = {
  /** The first of them that is gone or another one by now; undefined while all are as they were. */
  readonly lost: () => string | undefined
}

/**
 * Remembers files and folders that are open. Who writes to a file goes on writing after it was removed, replaced or mounted over, and is told of no error: only
 * its path tells, which then leads nowhere or to another file.
 * @throws when one cannot be found
 */
export const anchor = (paths: readonly string[]): Anchors => {
  const known = paths.map(path => ({ path, id: identify(statSync(path, { bigint: true })) }))
  return { lost: () => known.find(({ path, id }) => idAt(path) !== id)?.path }
}

/** Number of the file and of the file system that it is on. */
const identify = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`

const idAt = (path: string): string | undefined => {
  try {
    return identify(statSync(path, { bigint: true }))
  } catch {
    // What cannot even be looked at is no longer in reach.
    return undefined
  }
}

/** What happened to stored data whose place is lost, and what to do about it. */
export const lostAdvice = (what: string, lost: string): string =>
  `${what}: ${lost} was removed or replaced while it was in use. Nothing more is read or written. Put back what was there, or stop the mesh and start it again`
