import { startDynamoDb } from './server.ts'

/** A DynamoDB to be killed: `node kill.fixture.ts <folder>` prints its endpoint. */
const { endpoint } = await startDynamoDb({ path: process.argv[2] ?? '' })
process.stdout.write(`${endpoint}\n`)
