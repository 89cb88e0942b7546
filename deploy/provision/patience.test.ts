import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Clients, openClients } from '../../actors/kernel/ports/aws/clients.ts'
import type { Topology } from '../../contracts/derive/topology.ts'
import { mesh } from '../../contracts/mesh.ts'
import { type Answer, type Answering, type Call, firstOf, startAwsLike, times } from './aws-like.fixture.ts'
import { provision } from './main.ts'
import { AWS_PACE, EMBEDDED_PACE, type Pace } from './retry.ts'

let aws: Awaited<ReturnType<typeof startAwsLike>>
let clients: Clients
beforeAll(async () => {
  aws = await startAwsLike()
  clients = openClients({ AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: aws.endpoint, EMBEDDED: true })
})
afterAll(async () => {
  clients.close()
  await aws.close()
})

let wanted: Topology
let prefixes = 0
beforeEach(() => {
  wanted = mesh.topology(`patient${++prefixes}-`)
  aws.state.answering = () => undefined
  aws.state.answered = () => {}
  aws.state.calls = []
})

const run = (more: { readonly production?: boolean; readonly pace?: Pace } = {}) =>
  provision({ clients, topology: wanted, pace: EMBEDDED_PACE, ...more })
const everythingIs = async (did: string, report: Promise<Awaited<ReturnType<typeof run>>>) =>
  expect(new Set((await report).map(done => done.did))).toEqual(new Set([did]))
const refused = (refusal: string, message?: string): Answer => ({ refusal, ...(message === undefined ? {} : { message }) })
const calls = (operation: string) => aws.state.calls.filter(call => call.operation === operation)

/** Point-in-time recovery as a table has it that was turned on, or not yet; the embedded DynamoDB knows none. */
const backups = (): Answering => {
  const on = new Set<string>()
  return ({ operation, body }) => {
    if (!operation.endsWith('ContinuousBackups')) return undefined
    const { TableName } = JSON.parse(body)
    if (operation === 'UpdateContinuousBackups') on.add(TableName)
    const PointInTimeRecoveryDescription = { PointInTimeRecoveryStatus: on.has(TableName) ? 'ENABLED' : 'DISABLED' }
    const ContinuousBackupsDescription = { ContinuousBackupsStatus: 'ENABLED', PointInTimeRecoveryDescription }
    return { body: JSON.stringify({ ContinuousBackupsDescription }) }
  }
}
const described = (TableStatus: string): Answer => ({ body: JSON.stringify({ Table: { TableStatus } }) })

describe('what ends by itself is waited for', () => {
  test.each([
    ['a table’s backups are being set up', 'UpdateContinuousBackups', refused('ContinuousBackupsUnavailableException')],
    ['… and cannot even be asked about', 'DescribeContinuousBackups', refused('ContinuousBackupsUnavailableException')],
    ['backups do not know the table yet', 'DescribeContinuousBackups', refused('TableNotFoundException')],
    ['a table is being made', 'DescribeTable', described('CREATING')],
    ['a table is being changed', 'DescribeTable', described('UPDATING')],
    ['a table of that name is being deleted', 'DescribeTable', described('DELETING')],
    ['a table that is being changed takes no expiry', 'UpdateTimeToLive', refused('ResourceInUseException')],
    ['the name of a queue was free a moment ago', 'CreateQueue', refused('QueueDeletedRecently', 'You must wait 60 seconds')],
    [
      'dead letters are not known everywhere yet',
      'CreateQueue',
      refused('InvalidParameterValue', 'Value for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.'),
    ],
    ['a new topic is not known everywhere yet', 'Subscribe', refused('NotFound', 'Topic does not exist')],
    ['somebody else changes the topic', 'CreateTopic', refused('ConcurrentAccess')],
  ] as const)('%s: %s', async (_, operation, answer) => {
    const knowsBackups = backups()
    aws.state.answering = firstOf(times(6, operation, answer), knowsBackups)
    await everythingIs('created', run({ production: true }))
    aws.state.answering = knowsBackups
    await everythingIs('kept', run({ production: true }))
  })

  test.each([
    ['DynamoDB', 'CreateTable', 'LimitExceededException'],
    ['DynamoDB', 'UpdateTimeToLive', 'ThrottlingException'],
    ['SQS', 'CreateQueue', 'RequestThrottled'],
    ['SQS', 'ListQueues', 'ThrottlingException'],
    ['SNS', 'Subscribe', 'Throttled'],
    ['SNS', 'ListTopics', 'ThrottlingException'],
  ])('%s throttles %s longer than the SDK tries: %s', async (_, operation, refusal) => {
    aws.state.answering = times(12, operation, refused(refusal))
    await everythingIs('created', run())
  })

  test('but not for ever: the error says of what, and what AWS said', async () => {
    await run()
    aws.state.answering = firstOf(times(10_000, 'UpdateContinuousBackups', refused('ContinuousBackupsUnavailableException')), backups())
    const bounded = run({ production: true, pace: { ...EMBEDDED_PACE, readyWithinMs: 100 } })
    await expect(bounded).rejects.toThrow(
      /^point-in-time recovery of the table patient\d+-\w+ cannot be turned on: ContinuousBackupsUnavailableException: so it is, for 0\.1 s$/,
    )
  })

  test('and what does not end by itself is told at once', async () => {
    aws.state.answering = times(10_000, 'CreateTable', refused('AccessDeniedException', 'no right'))
    await expect(run()).rejects.toThrow(/the table .* cannot be made: AccessDeniedException: no right$/)
    const asked = calls('CreateTable').map(call => call.body)
    expect(new Set(asked).size).toBe(asked.length)
  })
})

/** Refuses to hear of a queue within a second of its making, as SQS may; and says which requests came too early. */
const aSecondAfter = () => {
  const madeAt = new Map<string, number>()
  const early: string[] = []
  const ours = [...wanted.mailboxes, ...wanted.subscribers].flatMap(q => [q.queue, q.dead])
  const isOurs = (name: string) => ours.includes(name)
  const namesOf = ({ operation, body }: Call): string[] => {
    if (operation === 'CreateQueue') return [JSON.parse(body).Attributes.RedrivePolicy ?? '']
    if (operation === 'Subscribe') return [new URLSearchParams(body).get('Endpoint') ?? '']
    return operation.includes('Queue') && operation !== 'ListQueues' ? [body] : []
  }
  const answering: Answering = call => {
    const said = namesOf(call)
    for (const [name, at] of madeAt) {
      const named = said.some(text => text.split(/[^\w.-]/).includes(name))
      if (named && performance.now() - at < 1_000) {
        early.push(`${call.operation} of ${name}`)
        return refused('QueueDoesNotExist')
      }
    }
    return undefined
  }
  const answered = ({ operation, body }: Call) => {
    const { QueueName } = operation === 'CreateQueue' ? JSON.parse(body) : {}
    // A run that failed may still have requests under way.
    if (QueueName && isOurs(QueueName) && !madeAt.has(QueueName)) madeAt.set(QueueName, performance.now())
  }
  const tooYoung = () => [...madeAt].flatMap(([name, at]) => (performance.now() - at < 1_000 ? [name] : []))
  return { answering, answered, early, tooYoung }
}

describe('a queue that was just made', () => {
  test('is left alone for a second, by the run and by whoever comes after it', async () => {
    const { answering, answered, early, tooYoung } = aSecondAfter()
    Object.assign(aws.state, { answering, answered })
    await everythingIs('created', run({ pace: AWS_PACE }))
    expect(early).toEqual([])
    expect(tooYoung()).toEqual([])
  })

  test('by another run at the same time does no harm', async () => {
    const { answering, answered, tooYoung } = aSecondAfter()
    Object.assign(aws.state, { answering, answered })
    await Promise.all([run({ pace: AWS_PACE }), run({ pace: AWS_PACE })])
    expect(tooYoung()).toEqual([])
    await everythingIs('kept', run({ pace: AWS_PACE }))
  })

  test('and is still listed, though it has gone since, is made again', async () => {
    const names = [...wanted.mailboxes, ...wanted.subscribers].flatMap(q => [q.queue, q.dead])
    const QueueUrls = names.map(name => `http://sqs.us-east-1.amazonaws.com/000000000000/${name}`)
    aws.state.answering = times(1, 'ListQueues', { body: JSON.stringify({ QueueUrls }) })
    await everythingIs('created', run())
  })
})

describe('a subscription', () => {
  const listOf = (members: string) => ({
    body: `<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions>${members}</Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>`,
  })

  test('that another run made since the list was read is set right', async () => {
    await run()
    const exists = refused(
      'InvalidParameter',
      'Invalid parameter: Attributes Reason: Subscription already exists with different attributes',
    )
    const subscriptions = wanted.subscribers.flatMap(h => h.subscriptions).length
    aws.state.answering = firstOf(
      times(wanted.topics.length, 'ListSubscriptionsByTopic', listOf('')),
      times(subscriptions, 'Subscribe', exists),
    )
    await everythingIs('kept', run())
    expect(calls('Subscribe').length).toBeGreaterThanOrEqual(subscriptions)
  })

  test('that SNS lists without an ARN, or that has gone, is made', async () => {
    const heard = wanted.subscribers[0]
    const member = (arn: string) =>
      `<member><SubscriptionArn>${arn}</SubscriptionArn><Protocol>sqs</Protocol><Endpoint>arn:aws:sqs:us-east-1:000000000000:${heard?.queue}</Endpoint></member>`
    const gone = 'arn:aws:sns:us-east-1:000000000000:topic:00000000-0000-0000-0000-000000000000'
    for (const arn of ['Deleted', 'PendingConfirmation', gone]) {
      wanted = mesh.topology(`patient${++prefixes}-`)
      aws.state.answering = times(wanted.topics.length, 'ListSubscriptionsByTopic', listOf(member(arn)))
      await everythingIs('created', run())
    }
  })
})

test('from the command line, a failure is told in a line, and the exit code is not 0', async () => {
  aws.state.answering = times(10_000, 'CreateTopic', refused('AuthorizationError', 'no right'))
  const script = fileURLToPath(new URL('./main.ts', import.meta.url))
  const env = { PREFIX: 'refused-', EMBEDDED: 'true', AWS_ENDPOINT_URL: aws.endpoint }
  const failed = await promisify(execFile)(process.execPath, ['--import', 'tsx', script], { env }).then(
    () => expect.fail('it should have failed'),
    (error: { code: number; stderr: string }) => error,
  )
  expect(failed.code).toBe(1)
  expect(failed.stderr).toMatch(/^Provisioning failed: the topic refused-\w+ cannot be made: AuthorizationError\w*: no right$/m)
})
