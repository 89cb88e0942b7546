import { ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { ListTopicsCommand } from '@aws-sdk/client-sns'
import { ListQueuesCommand } from '@aws-sdk/client-sqs'
import { afterAll, describe, expect, test } from 'vitest'
import { openClients } from '../../actors/kernel/ports/aws/clients.ts'
import { witness } from './reached.ts'

// What the other suites show is worth as much as this: the witness looks at signatures, so the mesh's own are right.
describe.each([
  ['the key’s own secret', witness().secretAccessKey],
  ['another secret', 'another secret'],
])('a request signed with %s', (_, secret) => {
  const right = secret === witness().secretAccessKey
  const { dynamodb, sqs, sns, close } = openClients({ ...witness().config, AWS_SECRET_ACCESS_KEY: secret })
  afterAll(close)

  test.each([
    ['DynamoDB', () => dynamodb.send(new ListTablesCommand())],
    ['SQS', () => sqs.send(new ListQueuesCommand())],
    ['SNS', () => sns.send(new ListTopicsCommand())],
  ])(`is ${right ? 'taken' : 'refused'} by %s`, async (_name, send) => {
    if (right) await send()
    else await expect(send()).rejects.toThrow(/signature/i)
  })
})
