import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { startAmazonLocal } from './amazon-local.ts'
import { concurrency } from './conformance/concurrency.cases.ts'
import { differences } from './conformance/differences.cases.ts'
import { indexes } from './conformance/indexes.cases.ts'
import { items } from './conformance/items.cases.ts'
import { type Case, connect, prepare, type Subject } from './conformance/subject.ts'
import { tables } from './conformance/tables.cases.ts'
import { tokens } from './conformance/tokens.cases.ts'
import { transactions } from './conformance/transactions.cases.ts'
import { startDynamoDb } from './server.ts'

interface Started {
  endpoint: string
  close(): Promise<void>
}

const suites: Record<string, Case[]> = { transactions, tokens, items, indexes, tables, concurrency, differences }

const amazon = await startAmazonLocal()

function conformance(engine: Subject['engine'], start: () => Promise<Started>): void {
  let client: DynamoDBClient
  let close = async () => {}
  beforeAll(async () => {
    const started = await start()
    client = connect(started.endpoint)
    close = async () => {
      client.destroy()
      await started.close()
    }
  })
  afterAll(() => close())
  for (const [suite, cases] of Object.entries(suites)) {
    describe(suite, () => {
      for (const { name, run } of cases) test(name, async () => run(await prepare(engine, client)))
    })
  }
}

describe('the embedded DynamoDB in memory', () => conformance('embedded', () => startDynamoDb()))

describe('the embedded DynamoDB on disk', () =>
  conformance('embedded', async () => {
    const path = await mkdtemp(join(tmpdir(), 'dynamodb-'))
    const { endpoint, close } = await startDynamoDb({ path })
    return { endpoint, close: () => close().then(() => rm(path, { recursive: true })) }
  }))

describe.skipIf(!amazon)("Amazon's DynamoDB Local", () => {
  if (amazon) conformance('amazon', async () => amazon)
})
