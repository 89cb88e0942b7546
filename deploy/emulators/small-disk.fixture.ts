import { execFile } from 'node:child_process'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export type SmallDisk = {
  readonly path: string
  /** Takes all room that is left. */
  readonly fill: () => Promise<void>
  /** Gives that room back. */
  readonly free: () => Promise<void>
  /** Remounts it, with `ro` read-only. */
  readonly remount: (how: 'ro' | 'rw') => Promise<void>
  readonly unmount: () => Promise<void>
}

const CHUNK_BYTES = 64 * 1024

/** A file system of its own in memory, below the folder for temporary files; undefined where this user may not mount one. */
export const smallDisk = async (bytes: number): Promise<SmallDisk | undefined> => {
  const path = await mkdtemp(join(tmpdir(), 'dailygrind-disk-'))
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path])
  } catch {
    await rm(path, { recursive: true })
    return undefined
  }
  const ballast = join(path, 'ballast')
  return {
    path,
    fill: async () => {
      const file = await open(ballast, 'a')
      try {
        // Ever smaller, to the last byte.
        for (let size = CHUNK_BYTES; size >= 1; ) {
          const { bytesWritten } = await file.write(Buffer.alloc(size)).catch(() => ({ bytesWritten: 0 }))
          if (bytesWritten === 0) size = Math.floor(size / 2)
        }
      } finally {
        await file.close()
      }
    },
    free: () => rm(ballast, { force: true }),
    remount: async how => void (await run('mount', ['-o', `remount,${how}`, path])),
    unmount: async () => {
      // Lazily: what a process still holds open must not keep it there.
      await run('umount', ['-l', path])
      await rm(path, { recursive: true, force: true })
    },
  }
}
