import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/** What tools may know of a mesh that runs: where it is, and its processes. `config` holds the engines' addresses as environment variables, and no secret. */
export const MeshFile = z.object({
  url: z.string(),
  stream: z.string(),
  operations: z.string(),
  pid: z.int(),
  processes: z.array(z.object({ name: z.string(), pid: z.int(), restarts: z.int() })),
  config: z.record(z.string(), z.string()),
})
export type MeshFile = z.infer<typeof MeshFile>

const nameOf = (directory: string): string => join(directory, 'mesh.json')

/** What a running mesh says of itself, or a killed one said last. */
export const readMeshFile = async (directory: string): Promise<MeshFile | undefined> => {
  try {
    return MeshFile.parse(JSON.parse(await readFile(nameOf(directory), 'utf8')))
  } catch {
    // There is none, or it is another version's.
    return undefined
  }
}

/** Takes away what a mesh that is gone said. */
export const removeMeshFile = (directory: string): Promise<void> => rm(nameOf(directory), { force: true })

/**
 * Keeps `mesh.json` in the data directory. Each version replaces the last at once, so that no reader sees half of one; versions that come while one is being
 * written are left out but for the last.
 */
export const meshFile = (directory: string) => {
  const file = nameOf(directory)
  let next: MeshFile | undefined
  let writing: Promise<void> | undefined
  let removed = false

  const write = async (): Promise<void> => {
    try {
      while (next && !removed) {
        const text = `${JSON.stringify(next, null, 2)}\n`
        next = undefined
        await writeFile(`${file}.new`, text, { mode: 0o600 })
        await rename(`${file}.new`, file)
      }
    } finally {
      writing = undefined
    }
  }
  return {
    put: (content: MeshFile): Promise<void> => {
      next = content
      writing ??= write()
      return writing
    },
    remove: async (): Promise<void> => {
      removed = true
      await writing?.catch(() => {})
      await removeMeshFile(directory)
    },
  }
}
