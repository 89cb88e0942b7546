import type { AddressInfo } from 'node:net'
import { createWire, type Wire } from './http.ts'
import type { Conflicting } from './operations.ts'
import { openReopening } from './reopening.ts'

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
  /** Told when what is stored cannot be written or has gone, with what to do about it, and when it can be written again. */
  warn?: (text: string) => void
}

export interface DynamoDb {
  /** `http://127.0.0.1:<port>` */
  endpoint: string
  /** Why nothing can be stored at the moment; undefined while all is well. */
  trouble(): string | undefined
  /** Finishes what is being worked on, closes all sockets and the files. Safe to call again. */
  close(): Promise<void>
}

/**
 * Starts a DynamoDB in this process, on 127.0.0.1: dynalite with transactions, time-to-live settings and writes that keep items and index entries together over a kill.
 * What was answered is there after a restart from the same `path`, also when the process was killed or the disk was full meanwhile; when the files are taken away
 * under it, it answers nothing any more (503).
 * @throws when the directory is in use or cannot be opened, or the port is taken; the message names it.
 */
export async function startDynamoDb({
  path,
  port = 0,
  conflict = () => false,
  now = Date.now,
  warn = text => console.error(text),
}: DynamoDbOptions = {}): Promise<DynamoDb> {
  const store = await openReopening({ path, conflict, now, warn })
  const wire = createWire(store.operations)
  try {
    const endpoint = await listen(wire, port)
    let closed: Promise<void> | undefined
    const close = async () => {
      await wire.close()
      await store.close()
    }
    return { endpoint, trouble: store.trouble, close: () => (closed ??= close()) }
  } catch (error) {
    await store.close()
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
