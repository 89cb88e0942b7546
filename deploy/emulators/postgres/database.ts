import { cp, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { z } from 'zod'
import { makeFolder } from '../folder.ts'

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Beside what npm installed, where other tools keep what they can make again. */
const cached = async (): Promise<string> => {
  const modules =
    createRequire(import.meta.url)
      .resolve('@electric-sql/pglite')
      .split(join('@electric-sql', 'pglite'))[0] ?? ''
  const version = async (name: string): Promise<string> => {
    const manifest: unknown = JSON.parse(await readFile(join(modules, name, 'package.json'), 'utf8'))
    return z.object({ version: z.string() }).parse(manifest).version
  }
  return join(modules, '.cache', `dailygrind-jobs-${await version('@electric-sql/pglite')}-${await version('bullmq')}`)
}

/**
 * Puts an empty database where there is none. To make one takes seconds of CPU and 0.7 GB, so that is done once a machine and copied from then on.
 * Whatever is there at `path` is whole: it comes by a rename.
 * @param make makes a database in a directory that does not exist yet
 */
export const ensureDatabase = async (path: string, make: (path: string) => Promise<void>): Promise<void> => {
  if (await exists(path)) return
  const template = await cached()
  if (!(await exists(template))) await atomically(template, make).catch(() => {})
  // Where nothing may be written beside the packages, each is made anew.
  const copy = (to: string) => cp(template, to, { recursive: true })
  await atomically(path, (await exists(template)) ? copy : make)
}

const atomically = async (path: string, make: (path: string) => Promise<void>): Promise<void> => {
  const parent = join(path, '..')
  await makeFolder(parent)
  const workshop = await mkdtemp(join(parent, '.making-'))
  try {
    const made = join(workshop, 'made')
    await make(made)
    await rename(made, path).catch(async err => {
      // Another was faster.
      if (!(await exists(path))) throw err
    })
  } finally {
    await rm(workshop, { recursive: true, force: true })
  }
}
