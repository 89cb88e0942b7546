import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, reasonOf } from '../emulators/folder.ts'

/**
 * A secret that is made at the first start and kept in the data directory for its owner's eyes only.
 * @param directory undefined: a new one each time
 */
export const kept = async (directory: string | undefined, name: string, make: () => string): Promise<{ file: string; text: string }> => {
  if (directory === undefined) return { file: name, text: make() }
  const file = join(directory, name)
  try {
    await stat(file)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    await putWhole(file, `${make()}\n`)
  }
  return { file, text: (await readFile(file, 'utf8')).trim() }
}

/** A file that is there is whole: a full disk, or a kill, leaves none with half a secret in it, which would keep every later start from beginning. */
const putWhole = async (file: string, text: string): Promise<void> => {
  const fresh = `${file}.${randomBytes(6).toString('hex')}`
  try {
    await writeFile(fresh, text, { flag: 'wx', mode: 0o600, flush: true })
    await rename(fresh, file)
  } catch (error) {
    throw new Error(`${file} cannot be written: ${reasonOf(error)}`, { cause: error })
  } finally {
    await rm(fresh, { force: true }).catch(() => {})
  }
}

/**
 * The edges' secret, kept so that cursors and operation ids outlive a restart.
 * @throws an error naming the file when it holds something else
 */
export const edgeSecret = async (directory: string | undefined): Promise<string> => {
  const { file, text } = await kept(directory, 'edge-secret', () => randomBytes(32).toString('base64url'))
  if (text.length < 32) throw new Error(`${file} should hold a secret of 32 characters or more: remove it to get a new one`)
  return text
}
