import { setTimeout as delay } from 'node:timers/promises'
import type { Answer } from 'dynalite/db/index.js'
import { lostAdvice } from '../anchors.ts'
import { codeOf, reasonOf } from '../folder.ts'
import type { Operation } from './actions.ts'
import { type Engine, FilesLost, openEngine } from './dynalite.ts'
import { unavailable } from './errors.ts'
import { type Conflicting, operations } from './operations.ts'
import { createTokens, type Tokens } from './tokens.ts'
export interface ReopeningOptions {
  path: string | undefined
  conflict: (operation: Conflicting) => boolean
  now: () => number
  warn: (text: string) => void
}

export interface Reopening {
  operations: ReadonlyMap<string, Operation>
  /** Why nothing can be written, or read, at the moment; undefined while all is well. */
  trouble(): string | undefined
  close(): Promise<void>
}

/** How often the files are looked at, and an engine that failed is tried again. */
const LOOK_MS = 500
const MEANWHILE = 'Writes are refused until it can be; what was acknowledged is kept'

interface Opened {
  engine: Engine
  tokens: Tokens
  operations: ReadonlyMap<string, Operation>
}

/**
 * An engine that is closed and opened anew when a write to its log failed: then what it acknowledged is whole again, and what comes next stands behind nothing torn.
 * Until there is room, writes are refused and reads go on. When its files are gone, nothing is answered until the same are back.
 */
export async function openReopening({ path, conflict, now, warn }: ReopeningOptions): Promise<Reopening> {
  const end = new AbortController()
  const underWay = new Set<Promise<Answer>>()
  const data = `the DynamoDB data in ${path ?? 'memory'}`
  let opened: Opened | undefined
  /** Set as long as something is wrong. */
  let trouble: string | undefined
  let lost: string | undefined
  let turning: Promise<void> | undefined
  let healing: Promise<void> | undefined

  const open = async (): Promise<Opened> => {
    const engine = await openEngine(path, failed)
    const tokens = createTokens(engine.level, now)
    return { engine, tokens, operations: operations(engine, tokens, conflict) }
  }
  const closeOpened = async (): Promise<void> => {
    const last = opened
    opened = undefined
    await last?.tokens.idle()
    await last?.engine.level.close()
  }
  const notice = (text: string): void => {
    if (text !== trouble) warn(text)
    trouble = text
  }
  const refused = (): string => (lost === undefined ? (trouble ?? 'the store is closed') : lostAdvice(data, lost))

  const failed = (error: unknown): void => {
    lost = error instanceof FilesLost ? error.path : undefined
    notice(lost === undefined ? `${data} was not written: ${reasonOf(error)}. ${MEANWHILE}` : refused())
    healing ??= heal()
  }
  /** What began before has ended, and what comes meanwhile waits. */
  const turn = async (): Promise<void> => {
    await Promise.allSettled(underWay)
    await closeOpened()
    opened = await open()
  }
  const tryAgain = async (): Promise<void> => {
    const files = opened?.engine.files
    // Once closed, there is nothing left that could be told from what is there now.
    // As they are removed one after another, the first that was missed stands for them all.
    const missed = files?.lost()
    if (files) lost = missed === undefined ? undefined : (lost ?? missed)
    if (lost !== undefined) return notice(refused())
    try {
      await files?.tryRoom()
      turning = turn()
      await turning
    } catch (error) {
      notice(`${data} cannot be written: ${reasonOf(error)}. ${MEANWHILE}`)
    } finally {
      turning = undefined
    }
  }
  const heal = async (): Promise<void> => {
    while (!end.signal.aborted && (!opened || opened.engine.log.failure())) {
      await tryAgain()
      if (!opened || opened.engine.log.failure()) await pause(end.signal)
    }
    healing = undefined
    if (end.signal.aborted) return
    trouble = undefined
    warn(`${data} is read and written again`)
  }
  const watch = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const engine = opened?.engine
      const missed = engine?.log.failure() ? undefined : engine?.files?.lost()
      if (missed !== undefined) engine?.log.fail(new FilesLost(missed))
      await pause(end.signal)
    }
  }
  const perform = async (name: string, body: unknown): Promise<Answer> => {
    while (turning) await turning.catch(() => {})
    const operation = opened?.operations.get(name)
    if (lost !== undefined || !opened || !operation) throw unavailable(refused())
    const { log } = opened.engine
    const work = operation(body)
    underWay.add(work)
    try {
      return await work
    } catch (error) {
      if (isBroken(error)) log.fail(error)
      throw error
    } finally {
      underWay.delete(work)
    }
  }

  opened = await open()
  const watching = path === undefined ? undefined : watch()
  return {
    operations: new Map([...opened.operations.keys()].map(name => [name, body => perform(name, body)])),
    trouble: () => (lost === undefined && trouble === undefined ? undefined : refused()),
    async close() {
      end.abort()
      await Promise.all([watching, healing])
      await closeOpened()
    },
  }
}

const pause = (signal: AbortSignal): Promise<void> => delay(LOOK_MS, undefined, { signal, ref: false }).catch(() => {})

/** Files that cannot be read, too, are opened anew: that says what is wrong with them. */
const isBroken = (error: unknown): boolean => ['LEVEL_IO_ERROR', 'LEVEL_CORRUPTION'].includes(codeOf(error) ?? '')
