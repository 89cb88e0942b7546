import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SNSClient } from '@aws-sdk/client-sns'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { Config } from '../../config/config.ts'
import { engineCalls, FIRST, type OnCall } from './calls.ts'
import { type CredentialsConfig, credentialsFor } from './credentials.ts'
import { type HttpLimits, httpHandler } from './http.ts'
import { signer } from './signer.ts'

type AwsConfig = Pick<
  Config,
  'AWS_REGION' | 'AWS_ENDPOINT_URL' | 'AWS_ENDPOINT_URL_SQS' | 'AWS_ENDPOINT_URL_SNS' | 'AWS_ENDPOINT_URL_DYNAMODB'
> &
  CredentialsConfig
export type Clients = {
  readonly dynamodb: DynamoDBClient
  readonly sqs: SQSClient
  /** For long polls: its requests may last longer than the 20 s that SQS waits, and one poll never waits for the connection of another. */
  readonly sqsPolling: SQSClient
  readonly sns: SNSClient
  /** Ends requests under way with an error and frees the connections. */
  readonly close: () => void
}
export type ClientOptions = {
  /** Told of every call once it is over, all its tries included. */
  readonly onCall?: OnCall
  readonly limits?: Partial<HttpLimits>
  readonly pollingLimits?: Partial<HttpLimits>
}

/** It walks every input and output, for a logger that does nothing. */
const SDK_LOGGER = 'loggerMiddleware'
const LIMITS: HttpLimits = { connections: 50, connectMs: 2_000, requestMs: 5_000 }
const POLLING: HttpLimits = { connections: 256, connectMs: 2_000, requestMs: 25_000 }

/**
 * Clients of the engines with a deadline on every try and three tries a call. What engines refuse for good (a lost condition, say) is not tried again.
 * Credentials are configuration, whatever the endpoint: see `credentials.ts`.
 */
export const openClients = (config: AwsConfig, { onCall, limits, pollingLimits }: ClientOptions = {}): Clients => {
  const options = (own: string | undefined, http: HttpLimits) => {
    const endpoint = own ?? config.AWS_ENDPOINT_URL
    return {
      region: config.AWS_REGION,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...credentialsFor(config, endpoint),
      maxAttempts: 3,
      retryMode: 'standard',
      // Handlers of a kind of command are put together once and not for each call.
      cacheMiddleware: true,
      requestHandler: httpHandler(http),
    }
  }
  const region = config.AWS_REGION
  const usual = { ...LIMITS, ...limits }

  const dynamodb: DynamoDBClient = new DynamoDBClient({
    ...options(config.AWS_ENDPOINT_URL_DYNAMODB, usual),
    signer: signer('dynamodb', region, () => dynamodb.config.credentials()),
  })
  dynamodb.middlewareStack.add(engineCalls('dynamodb', onCall), FIRST)
  dynamodb.middlewareStack.remove(SDK_LOGGER)

  const openSqs = (http: HttpLimits) => {
    const client: SQSClient = new SQSClient({
      ...options(config.AWS_ENDPOINT_URL_SQS, http),
      signer: signer('sqs', region, () => client.config.credentials()),
      // TLS and the signature guard the bodies; checking their MD5 again costs CPU and finds nothing.
      md5: false,
      // An emulator gives its queues the address at which it believes to be, which is not always the one at which it is reached.
      ...((config.AWS_ENDPOINT_URL_SQS ?? config.AWS_ENDPOINT_URL) === undefined ? {} : { useQueueUrlAsEndpoint: false }),
    })
    client.middlewareStack.add(engineCalls('sqs', onCall), FIRST)
    client.middlewareStack.remove(SDK_LOGGER)
    return client
  }
  const sqs = openSqs(usual)
  const sqsPolling = openSqs({ ...POLLING, ...pollingLimits })

  const sns: SNSClient = new SNSClient({
    ...options(config.AWS_ENDPOINT_URL_SNS, usual),
    signer: signer('sns', region, () => sns.config.credentials()),
  })
  sns.middlewareStack.add(engineCalls('sns', onCall), FIRST)
  sns.middlewareStack.remove(SDK_LOGGER)

  return {
    dynamodb,
    sqs,
    sqsPolling,
    sns,
    close: () => {
      for (const client of [dynamodb, sqs, sqsPolling, sns]) client.destroy()
    },
  }
}
