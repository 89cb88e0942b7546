import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { anchor, lostAdvice } from '../anchors.ts'
import { reasonOf } from '../folder.ts'
import { type Entry, lineOf } from './journal-entries.ts'

/** What was to be kept was not written, and has not happened. */
export class NotStored extends Error {
  override readonly name = 'NotStored'
}

export type JournalFile = {
  /** Resolves once the entry is written, and `applied`; rejects with NotStored when it is not, and then nothing of it is left. */
  readonly append: (entry: Entry) => Promise<void>
  /** Why nothing can be kept at the moment. */
  readonly trouble: () => string | undefined
  readonly close: () => Promise<void>
}

/**
 * Writes one chunk at a time, each with all entries that came meanwhile. What a write that failed left in the file is cut off before the next one.
 * @param apply called with each entry that is written, in their order
 */
export async function journalFile(file: string, handle: FileHandle, apply: (entry: Entry) => void): Promise<JournalFile> {
  const anchors = anchor([dirname(file), file])
  let { size } = await handle.stat()
  let torn = false
  let failure: string | undefined
  let waiting: Entry[] = []
  let next: Promise<void> | undefined
  let last = Promise.resolve()

  const lost = (): string | undefined => {
    const missed = anchors.lost()
    return missed === undefined ? undefined : lostAdvice(`the users of Cognito in ${file}`, missed)
  }
  const cut = async (): Promise<void> => {
    if (torn) await handle.truncate(size)
    torn = false
  }
  const put = async (chunk: Buffer): Promise<void> => {
    await cut()
    torn = true
    await handle.appendFile(chunk)
    const missed = lost()
    if (missed !== undefined) throw new NotStored(missed)
    torn = false
    size += chunk.length
  }
  const write = async (before: Promise<void>): Promise<void> => {
    await before.catch(() => {})
    const entries = waiting
    waiting = []
    next = undefined
    try {
      await put(Buffer.from(entries.map(lineOf).join('')))
      failure = undefined
    } catch (error) {
      // Should that fail, too, the next write begins with it.
      await cut().catch(() => {})
      failure = error instanceof NotStored ? error.message : `the users of Cognito in ${file} cannot be written: ${reasonOf(error)}`
      throw new NotStored(failure, { cause: error })
    }
    for (const entry of entries) apply(entry)
  }
  return {
    append(entry) {
      waiting.push(entry)
      if (next === undefined) {
        next = write(last)
        last = next
      }
      return next
    },
    trouble: () => lost() ?? failure,
    async close() {
      await last.catch(() => {})
      await handle.close()
    },
  }
}
