import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { concurrency } from './concurrency.cases.ts'
import { differences } from './differences.cases.ts'
import { indexes } from './indexes.cases.ts'
import { items } from './items.cases.ts'
import { type Case, prepare, type Subject } from './subject.ts'
import { tables } from './tables.cases.ts'
import { tokens } from './tokens.cases.ts'
import { transactions } from './transactions.cases.ts'

const suites: Record<string, Case[]> = { transactions, tokens, items, indexes, tables, concurrency, differences }

/** Every case, on an engine that is opened for all of them and closed with its client afterwards. */
export function conformance(engine: Subject['engine'], open: () => Promise<{ client: DynamoDBClient; close(): Promise<void> }>): void {
  let opened: Awaited<ReturnType<typeof open>>
  beforeAll(async () => {
    opened = await open()
  })
  afterAll(async () => {
    opened.client.destroy()
    await opened.close()
  })
  for (const [suite, cases] of Object.entries(suites)) {
    describe(suite, () => {
      for (const { name, run } of cases) test(name, async () => run(await prepare(engine, opened.client)))
    })
  }
}
