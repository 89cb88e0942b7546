import { readdirSync, statSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Anchors, anchor } from '../anchors.ts'

/** What LevelDB keeps as long as it is open; a log is replaced by the next one once it is full. */
const CONSTANT = ['CURRENT', 'LOCK']
const LOG = /^(\d+)\.log$/
/** For the tables and the manifest that opening writes beside what stands in the logs. */
const MARGIN_BYTES = 64 * 1024
const TRIAL = 'room'

export type Files = {
  /** The file or folder that is gone, or another one by now. */
  readonly lost: () => string | undefined
  /** @throws what the system says while there is no room for what opening writes */
  readonly tryRoom: () => Promise<void>
}

/** The files of a LevelDB that is open in a folder. */
export const openedFiles = (folder: string): Files => {
  const constant = anchor([folder, ...CONSTANT.map(name => join(folder, name))])
  let log = newestLog(folder)
  return {
    lost: () => {
      const lost = constant.lost()
      if (lost !== undefined) return lost
      if (log?.anchors.lost() === undefined) return undefined
      // It was full, and the next one is there; or somebody removed it.
      const next = newestLog(folder)
      if (next === undefined || next.number <= (log?.number ?? 0)) return log?.path
      log = next
      return undefined
    },
    tryRoom: () => tryRoom(folder),
  }
}

/** Takes away what a process that was killed while it tried left. */
export const forgetTrial = (folder: string): Promise<void> => rm(join(folder, TRIAL), { force: true })

const newestLog = (folder: string): { number: number; path: string; anchors: Anchors } | undefined => {
  try {
    const numbers = readdirSync(folder).flatMap(name => {
      const [, number] = LOG.exec(name) ?? []
      return number === undefined ? [] : [{ number: Number(number), path: join(folder, name) }]
    })
    const [newest] = numbers.sort((a, b) => b.number - a.number)
    return newest && { ...newest, anchors: anchor([newest.path]) }
  } catch {
    return undefined
  }
}

const tryRoom = async (folder: string): Promise<void> => {
  const logs = readdirSync(folder).filter(name => LOG.test(name))
  const bytes = logs.reduce((sum, name) => sum + statSync(join(folder, name)).size, MARGIN_BYTES)
  try {
    await writeFile(join(folder, TRIAL), Buffer.alloc(bytes), { flush: true })
  } finally {
    await forgetTrial(folder)
  }
}
