import { readFileSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { isAlive, outlive } from '../../actors/kernel/process/alive.ts'
import { type Anchors, anchor, lostAdvice } from '../emulators/anchors.ts'
import { codeOf, makeFolder, reasonOf } from '../emulators/folder.ts'
import { readMeshFile, removeMeshFile } from './mesh-file.ts'

const Owner = z.object({ pid: z.int(), begun: z.string() })
type Owner = z.infer<typeof Owner>
/** The children of a mesh that was killed end within this time. */
const LAST_BREATH_MS = 12_000

export type DataLock = {
  /** Why the directory is none any more; undefined while it is as it was. */
  readonly trouble: () => string | undefined
  /** Leaves the directory to others; one that took its place is left alone. */
  readonly release: () => Promise<void>
}

/**
 * Makes a data directory this process's own, and the directory where it is missing. A lock whose owner was killed is taken over once the processes that
 * it left behind have ended: they still write.
 * @param waiting told when that takes a while
 * @throws an error naming the directory, and why it cannot be made, read or written, or its owner while that one lives
 */
export const lockData = async (directory: string, waiting: () => void = () => {}): Promise<DataLock> => {
  try {
    await makeFolder(directory, 0o700)
    await readdir(directory)
  } catch (error) {
    throw unusable(directory, error)
  }
  const file = join(directory, 'lock')
  const mine = JSON.stringify({ pid: process.pid, begun: begun(process.pid) } satisfies Owner)
  for (let tries = 0; tries < 3; tries++) {
    try {
      await writeLock(file, mine)
      await endOf(directory, waiting)
      return heldLock(directory, file, anchor([directory, file]))
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw unusable(directory, error)
    }
    const owner = await ownerOf(file)
    if (owner && isAlive(owner.pid) && begun(owner.pid) === owner.begun)
      throw new Error(
        `${directory} belongs to a mesh that runs (process ${owner.pid}): stop it, or take another directory with --data, or --ephemeral`,
      )
    // Two that find the same dead lock may both come through here; the store's own lock then stops the second.
    await rm(file, { force: true }).catch((error: unknown) => {
      throw unusable(directory, error)
    })
  }
  throw new Error(`${file} comes again as often as it is removed: another mesh is starting on ${directory}`)
}

const unusable = (directory: string, error: unknown): Error =>
  new Error(`the data directory ${directory} cannot be used: ${reasonOf(error)}. Take another one with --data, or --ephemeral`, {
    cause: error,
  })

const writeLock = async (file: string, text: string): Promise<void> => {
  try {
    await writeFile(file, text, { flag: 'wx' })
  } catch (error) {
    // On a full disk there is a file, and nothing in it.
    if (codeOf(error) !== 'EEXIST') await rm(file, { force: true }).catch(() => {})
    throw error
  }
}

const heldLock = (directory: string, file: string, anchors: Anchors): DataLock => ({
  trouble: () => {
    const lost = anchors.lost()
    return lost === undefined ? undefined : lostAdvice(`the data directory ${directory}`, lost)
  },
  release: async () => {
    if (anchors.lost() === undefined) await rm(file, { force: true })
  },
})

const ownerOf = async (file: string): Promise<Owner | undefined> => {
  const text = await readFile(file, 'utf8').catch(() => '')
  try {
    return Owner.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** Tells a process from a later one with the same id, where the system says when it began. */
const begun = (pid: number): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may hold spaces; the start time is the 20th field after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

const endOf = async (directory: string, waiting: () => void): Promise<void> => {
  const left = (await readMeshFile(directory))?.processes.map(p => p.pid).filter(pid => pid !== process.pid) ?? []
  await removeMeshFile(directory)
  if (!left.some(isAlive)) return
  waiting()
  await outlive(left, LAST_BREATH_MS)
}
