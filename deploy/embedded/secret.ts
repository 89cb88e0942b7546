import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const random = (): string => randomBytes(32).toString('base64url')

/**
 * The edges' secret: made at the first start and kept in the data directory for its owner's eyes only, so that cursors and operation ids outlive a restart.
 * @param directory undefined: a new one each time
 * @throws an error naming the file when it holds something else
 */
export const edgeSecret = async (directory: string | undefined): Promise<string> => {
  if (directory === undefined) return random()
  const file = join(directory, 'edge-secret')
  try {
    await writeFile(file, `${random()}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  const kept = (await readFile(file, 'utf8')).trim()
  if (kept.length < 32) throw new Error(`${file} should hold a secret of 32 characters or more: remove it to get a new one`)
  return kept
}
