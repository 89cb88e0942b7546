import { type App, type Fields, isFields } from './app.ts'
import { whySubscriptionRefused } from './filter-policies.ts'

/** SNS limits: https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html */
const MAX_ENTRIES = 10
const MAX_BYTES = 262_144
const BATCH_ID = /^[\w-]{1,80}$/

type Refusal = { code: string; message: string }

/** Refuses requests to SNS that the emulator accepts and AWS does not, so that they fail here first. */
export function refuseWhatAwsRefuses(app: App): void {
  app.addHook('preHandler', async (request, reply) => {
    const form = request.body
    if (!isFields(form) || typeof form.Action !== 'string') return
    const refusal = refuse(form.Action, form)
    if (refusal === undefined) return
    const error = `<Error><Type>Sender</Type><Code>${refusal.code}</Code><Message>${escaped(refusal.message)}</Message></Error>`
    const xml = `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">${error}<RequestId>${request.id}</RequestId></ErrorResponse>`
    return reply.status(400).header('content-type', 'text/xml').send(xml)
  })
}

const ESCAPES: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;' }
const escaped = (text: string): string => text.replace(/[<>&]/g, character => ESCAPES[character] ?? '')

function refuse(action: string, form: Fields): Refusal | undefined {
  if (action === 'Subscribe') return refuseSubscription(String(form.TopicArn), String(form.Endpoint)) ?? refuseSubscribed(form)
  if (action === 'SetSubscriptionAttributes') return refuseAttribute(String(form.AttributeName), String(form.AttributeValue ?? ''), '')
  const empty = action.startsWith('Publish') ? emptyAttribute(form) : undefined
  if (empty !== undefined) return empty
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

/** The attributes of a subscription that is to be made: `Attributes.entry.1.key`, `Attributes.entry.1.value`. */
function refuseSubscribed(form: Fields): Refusal | undefined {
  for (const [name, key] of Object.entries(form)) {
    const [, entry] = /^Attributes\.entry\.(\d+)\.key$/.exec(name) ?? []
    if (entry === undefined) continue
    const wrong = refuseAttribute(String(key), String(form[`Attributes.entry.${entry}.value`] ?? ''), 'Attributes Reason: ')
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function refuseAttribute(name: string, value: string, where: string): Refusal | undefined {
  const why = whySubscriptionRefused(name, value)
  return why === undefined ? undefined : { code: 'InvalidParameter', message: `Invalid parameter: ${where}${why}` }
}

/** Of any message in the request: `MessageAttributes.entry.1.Value.StringValue`, behind the entry's name in a batch. */
function emptyAttribute(form: Fields): Refusal | undefined {
  for (const [field, given] of Object.entries(form)) {
    const [, at] = /^(.*MessageAttributes\.entry\.\d+)\.Name$/.exec(field) ?? []
    if (at === undefined) continue
    const type = String(form[`${at}.Value.DataType`])
    if (form[`${at}.Value.${type.startsWith('Binary') ? 'BinaryValue' : 'StringValue'}`]) continue
    const message = `The message attribute '${String(given)}' must contain non-empty message attribute value for message attribute type '${type}'.`
    return { code: 'ParameterValueInvalid', message }
  }
  return undefined
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
  if (ids.some(id => !BATCH_ID.test(String(id)))) {
    return { code: 'InvalidBatchEntryId', message: 'The Id of a batch entry in a batch request does not abide by the specification.' }
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
