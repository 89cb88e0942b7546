import type { AddressInfo } from 'node:net'
import { openEngine } from './dynalite.ts'
import { createWire, type Wire } from './http.ts'
import { type Conflicting, operations } from './operations.ts'
import { createTokens } from './tokens.ts'

export interface DynamoDbOptions {
  /** The directory that holds the data, created when absent. Without one, everything is in memory and gone with `close`. */
  path?: string
  /** A free one unless given. */
  port?: number
  /**
   * Asked once for every operation that can meet another transaction on an item of its own; says whether it is to be answered so: `TransactionConflict` as the reason of the
   * first item of a cancelled transaction, TransactionConflictException for a single write. Nothing is written then. Real tables answer so under contention, this one never.
   */
  conflict?: (operation: Conflicting) => boolean
  /** Milliseconds since 1970, by which idempotency tokens expire. */
  now?: () => number
}

export interface DynamoDb {
  /** `http://127.0.0.1:<port>` */
  endpoint: string
  /** Finishes what is being worked on, closes all sockets and the files. Safe to call again. */
  close(): Promise<void>
}

/**
 * Starts a DynamoDB in this process, on 127.0.0.1: dynalite with transactions, time-to-live settings and writes that keep items and index entries together over a kill.
 * What a killed process had answered is there after a restart from the same `path`.
 * @throws when the directory is in use or cannot be opened, or the port is taken; the message names it.
 */
export async function startDynamoDb({ path, port = 0, conflict = () => false, now = Date.now }: DynamoDbOptions = {}): Promise<DynamoDb> {
  const engine = await openEngine(path)
  const tokens = createTokens(engine.level, now)
  const wire = createWire(operations(engine, tokens, conflict))
  try {
    const endpoint = await listen(wire, port)
    let closed: Promise<void> | undefined
    const close = async () => {
      await wire.close()
      await tokens.idle()
      await engine.level.close()
    }
    return { endpoint, close: () => (closed ??= close()) }
  } catch (error) {
    await engine.level.close()
    throw error
  }
}

function listen({ server }: Wire, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', error => reject(new Error(`The DynamoDB cannot listen on 127.0.0.1:${port}: ${error.message}`, { cause: error })))
    server.listen(port, '127.0.0.1', () => resolve(`http://127.0.0.1:${addressOf(server.address()).port}`))
  })
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (typeof address === 'object' && address !== null) return address
  throw new Error('a server that listens on a port has an address')
}
