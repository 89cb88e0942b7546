import { readFileSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { isAlive, outlive } from '../../actors/kernel/process/alive.ts'
import { readMeshFile, removeMeshFile } from './mesh-file.ts'

const Owner = z.object({ pid: z.int(), begun: z.string() })
type Owner = z.infer<typeof Owner>
/** The children of a mesh that was killed end within this time. */
const LAST_BREATH_MS = 12_000

/**
 * Makes a data directory this process's own, and the directory where it is missing. A lock whose owner was killed is taken over once the processes that
 * it left behind have ended: they still write.
 * @param waiting told when that takes a while
 * @throws an error naming the directory and its owner while that one lives
 */
export const lockData = async (directory: string, waiting: () => void = () => {}): Promise<{ readonly release: () => Promise<void> }> => {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const file = join(directory, 'lock')
  const mine = JSON.stringify({ pid: process.pid, begun: begun(process.pid) } satisfies Owner)
  for (let tries = 0; tries < 3; tries++) {
    try {
      await writeFile(file, mine, { flag: 'wx' })
      await endOf(directory, waiting)
      return { release: () => rm(file, { force: true }) }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const owner = await ownerOf(file)
    if (owner && isAlive(owner.pid) && begun(owner.pid) === owner.begun)
      throw new Error(
        `${directory} belongs to a mesh that runs (process ${owner.pid}): stop it, or take another directory with --data, or --ephemeral`,
      )
    // Two that find the same dead lock may both come through here; the store's own lock then stops the second.
    await rm(file, { force: true })
  }
  throw new Error(`${file} comes again as often as it is removed: another mesh is starting on ${directory}`)
}

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
