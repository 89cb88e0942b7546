import { type App, type Fields, isFields } from './app.ts'

/** SNS limits: https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html */
const MAX_ENTRIES = 10
const MAX_BYTES = 262_144

type Refusal = { code: string; message: string }

/** Refuses requests to SNS that the emulator accepts and AWS does not, so that they fail here first. */
export function refuseWhatAwsRefuses(app: App): void {
  app.addHook('preHandler', async (request, reply) => {
    const form = request.body
    if (!isFields(form) || typeof form.Action !== 'string') return
    const refusal = refuse(form.Action, form)
    if (refusal === undefined) return
    const error = `<Error><Type>Sender</Type><Code>${refusal.code}</Code><Message>${refusal.message}</Message></Error>`
    const xml = `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">${error}<RequestId>${request.id}</RequestId></ErrorResponse>`
    return reply.status(400).header('content-type', 'text/xml').send(xml)
  })
}

function refuse(action: string, form: Fields): Refusal | undefined {
  if (action === 'Subscribe') return refuseSubscription(String(form.TopicArn), String(form.Endpoint))
  if (action === 'PublishBatch') return refuseBatch(form)
  if (action === 'Publish' && bytes(form, 'Message') > MAX_BYTES) {
    return { code: 'InvalidParameter', message: `Invalid parameter: Message too long: message and attributes exceed ${MAX_BYTES} bytes` }
  }
  return undefined
}

function refuseSubscription(topic: string, endpoint: string): Refusal | undefined {
  if (!endpoint.endsWith('.fifo') || topic.endsWith('.fifo')) return undefined
  return {
    code: 'InvalidParameter',
    message: 'Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics',
  }
}

function refuseBatch(form: Fields): Refusal | undefined {
  const ids = Object.entries(form).flatMap(([name, value]) => (/^PublishBatchRequestEntries\.member\.\d+\.Id$/.test(name) ? [value] : []))
  if (ids.length === 0) return { code: 'EmptyBatchRequest', message: 'The batch request does not contain any entries.' }
  if (ids.length > MAX_ENTRIES) {
    return {
      code: 'TooManyEntriesInBatchRequest',
      message: `The batch request contains ${ids.length} entries, at most ${MAX_ENTRIES} are permissible.`,
    }
  }
  if (new Set(ids).size < ids.length) {
    return { code: 'BatchEntryIdsNotDistinct', message: 'Two or more batch entries in the request have the same Id.' }
  }
  const size = bytes(form, 'PublishBatchRequestEntries.member.')
  if (size <= MAX_BYTES) return undefined
  return {
    code: 'BatchRequestTooLong',
    message: `The length of all the messages put together, ${size} bytes, is more than the limit of ${MAX_BYTES}.`,
  }
}

/** What counts towards the limit: bodies, and names, types and values of attributes. */
function bytes(form: Fields, prefix: string): number {
  let total = 0
  for (const [name, value] of Object.entries(form)) {
    if (!name.startsWith(prefix) || typeof value !== 'string') continue
    if (/(^|\.)(Message|Name|DataType|StringValue|BinaryValue)$/.test(name)) total += Buffer.byteLength(value)
  }
  return total
}
