import { PublishBatchCommand, type SNSClient } from '@aws-sdk/client-sns'
import { batcher } from '../aws/batcher.ts'
import { isRefusalCode } from '../aws/failures.ts'
import { Unsendable } from '../mailbox/port.ts'
import { allOf, MOST_BYTES, MOST_ENTRIES, weigh } from './limits.ts'
import type { EventBus, Published } from './port.ts'

export type SnsBusOptions = {
  readonly sns: SNSClient
  /** The address of an actor's topic. Asked once a topic, and again after it failed. */
  readonly topicArn: (name: string) => Promise<string>
  /** Requests under way at once to a topic; default 4. */
  readonly lanes?: number
}

/** SNS: events of callers at about the same time share requests of up to 10. The attribute `type` is what subscriptions filter by; bodies are delivered raw. */
export const snsBus = ({ sns, topicArn, lanes = 4 }: SnsBusOptions): EventBus => {
  type Weighed = { readonly event: Published; readonly bytes: number }
  const open = (topic: string) => {
    let known: Promise<string> | undefined
    const arn = () => {
      known ??= topicArn(topic).catch(error => {
        known = undefined
        throw error
      })
      return known
    }
    return batcher<Weighed, void>({
      count: MOST_ENTRIES,
      bytes: { most: MOST_BYTES, of: item => item.bytes },
      concurrency: lanes,
      flush: async items => {
        const answer = await sns.send(
          new PublishBatchCommand({
            TopicArn: await arn(),
            PublishBatchRequestEntries: items.map(({ event: { type, body } }, at) => ({
              // Their positions: an entry id given twice fails the whole batch.
              Id: String(at),
              Message: body,
              MessageAttributes: { type: { DataType: 'String', StringValue: type } },
            })),
          }),
        )
        const published = new Set(answer.Successful?.map(entry => entry.Id))
        const failed = new Map(answer.Failed?.map(entry => [entry.Id, entry]))
        return items.map(({ event }, at) => {
          if (published.has(String(at))) return { ok: true, value: undefined }
          // One that is named nowhere is not out: such an answer is something's between us and the topic.
          const { Code, Message } = failed.get(String(at)) ?? { Code: 'it is not in the answer' }
          const why = `the topic ${topic} refused event ${JSON.stringify(event.id)}: ${Code} ${Message ?? ''}`
          return { ok: false, error: isRefusalCode(Code ?? '') ? new Unsendable(why) : new Error(why) }
        })
      },
    })
  }
  const topics = new Map<string, ReturnType<typeof open>>()
  const publish = async (event: Published) => {
    const bytes = weigh(event)
    const topic = topics.get(event.topic) ?? open(event.topic)
    topics.set(event.topic, topic)
    await topic({ event, bytes })
  }
  return { publish: events => allOf(events.map(publish)) }
}
