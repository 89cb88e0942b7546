import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { connect } from './conformance/subject.ts'
import { conformance } from './conformance/suite.ts'
import { startDynamoDb } from './server.ts'

describe('the embedded DynamoDB in memory', () =>
  conformance('embedded', async () => {
    const { endpoint, close } = await startDynamoDb()
    return { client: connect(endpoint), close }
  }))

describe('the embedded DynamoDB on disk', () =>
  conformance('embedded', async () => {
    const path = await mkdtemp(join(tmpdir(), 'dynamodb-'))
    const { endpoint, close } = await startDynamoDb({ path })
    return { client: connect(endpoint), close: () => close().then(() => rm(path, { recursive: true })) }
  }))
