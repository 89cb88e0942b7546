import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * A secret that is made at the first start and kept in the data directory for its owner's eyes only.
 * @param directory undefined: a new one each time
 */
export const kept = async (directory: string | undefined, name: string, make: () => string): Promise<{ file: string; text: string }> => {
  if (directory === undefined) return { file: name, text: make() }
  const file = join(directory, name)
  try {
    await writeFile(file, `${make()}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return { file, text: (await readFile(file, 'utf8')).trim() }
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
