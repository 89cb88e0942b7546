import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { ListTopicsCommand } from '@aws-sdk/client-sns'
import { ListQueuesCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { readConfig } from '../../config/config.ts'
import { openClients } from './clients.ts'

/** An engine that notes whose key a request was signed with, and the session that it names. */
let seen: string[] = []
const engine = createServer((request, response) => {
  const key = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1]
  seen.push([key, request.headers['x-amz-security-token']].filter(part => part !== undefined).join(' '))
  const sns = !request.headers['x-amz-target']
  const xml = '<ListTopicsResponse><ListTopicsResult><Topics/></ListTopicsResult></ListTopicsResponse>'
  response
    .writeHead(200, { 'content-type': sns ? 'text/xml' : 'application/x-amz-json-1.0', 'x-amzn-requestid': 'r' })
    .end(sns ? xml : '{}')
  request.resume()
})
let endpoint = ''
beforeAll(async () => {
  engine.listen(0, '127.0.0.1')
  await once(engine, 'listening')
  endpoint = `http://127.0.0.1:${(engine.address() as AddressInfo).port}`
})
afterAll(() => {
  engine.closeAllConnections()
  engine.close()
})
beforeEach(() => {
  seen = []
})

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIDOFTHEMESH', AWS_SECRET_ACCESS_KEY: 'secret' }

/** Whose keys the mesh's clients sign with in this environment: of DynamoDB, SQS and SNS. */
const signers = async (env: Readonly<Record<string, string>>): Promise<string[]> => {
  const { dynamodb, sqs, sqsPolling, sns, close } = openClients(readConfig(env, { prefix: 'test-' }))
  try {
    await dynamodb.send(new ListTablesCommand())
    await sqs.send(new ListQueuesCommand())
    await sqsPolling.send(new ListQueuesCommand())
    await sns.send(new ListTopicsCommand())
  } finally {
    close()
  }
  return seen
}
const all = (key: string) => Array(4).fill(key)

describe('an engine outside is shown the keys of the environment', () => {
  test.each([
    ['at one address', () => ({ AWS_ENDPOINT_URL: endpoint })],
    [
      'at an address for each',
      () => ({ AWS_ENDPOINT_URL_DYNAMODB: endpoint, AWS_ENDPOINT_URL_SQS: endpoint, AWS_ENDPOINT_URL_SNS: endpoint }),
    ],
    ['of a mesh on one machine', () => ({ AWS_ENDPOINT_URL: endpoint, EMBEDDED: 'true' })],
    ['when something else is embedded', () => ({ AWS_ENDPOINT_URL: endpoint, EMBEDDED: 'true', EMBEDDED_ENDPOINTS: 'http://127.0.0.1:9' })],
    ['whatever the profile', () => ({ AWS_ENDPOINT_URL: endpoint, AWS_PROFILE: 'of-a-developer' })],
  ])('%s', async (_, env) => {
    expect(await signers({ ...env(), ...KEYS })).toEqual(all('AKIDOFTHEMESH'))
  })

  test('with the session that they belong to', async () => {
    const env = { AWS_ENDPOINT_URL: endpoint, ...KEYS, AWS_SESSION_TOKEN: 'session' }
    expect(await signers(env)).toEqual(all('AKIDOFTHEMESH session'))
  })
})

describe('the fixed credentials', () => {
  test('are shown to embedded engines, whatever the environment holds', async () => {
    const env = { AWS_ENDPOINT_URL: endpoint, EMBEDDED_ENDPOINTS: endpoint, AWS_PROFILE: 'of-a-developer', ...KEYS }
    expect(await signers(env)).toEqual(all('local'))
  })

  test('… each by its own address', async () => {
    const env = { AWS_ENDPOINT_URL: endpoint, AWS_ENDPOINT_URL_DYNAMODB: `${endpoint}/`, EMBEDDED_ENDPOINTS: `${endpoint}/`, ...KEYS }
    expect(await signers(env)).toEqual(['local', ...Array(3).fill('AKIDOFTHEMESH')])
  })

  test('serve a mesh on one machine with an emulator and no keys', async () => {
    expect(await signers({ AWS_ENDPOINT_URL: endpoint, EMBEDDED: 'true' })).toEqual(all('local'))
  })
})

test.each(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])('%s alone is refused', name => {
  expect(() => readConfig({ [name]: 'half' }, { prefix: 'test-' })).toThrow('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together')
})

describe('without keys the SDK looks where it always does', () => {
  let directory = ''
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'profile-'))
    const file = join(directory, 'credentials')
    await writeFile(file, '[of-the-mesh]\naws_access_key_id = AKIDOFAPROFILE\naws_secret_access_key = secret\n')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file)
    vi.stubEnv('AWS_PROFILE', 'of-the-mesh')
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await rm(directory, { recursive: true })
  })

  test.each(['true', 'false'])('as in a profile, embedded: %s', async EMBEDDED => {
    expect(await signers({ AWS_ENDPOINT_URL: endpoint, EMBEDDED, AWS_PROFILE: 'of-the-mesh' })).toEqual(all('AKIDOFAPROFILE'))
  })
})
