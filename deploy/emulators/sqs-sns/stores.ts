import type { buildApp } from 'fauxqs'

export type Stores = NonNullable<NonNullable<Parameters<typeof buildApp>[0]>['stores']>
export type SqsStore = Stores['sqsStore']
type SnsStore = Stores['snsStore']
export type Queue = NonNullable<ReturnType<SqsStore['getQueue']>>

const own = (path: string): string => new URL(path, import.meta.resolve('fauxqs')).href

/** What the emulator keeps its queues and topics in. It makes them itself where it is given none, and then nobody else can look into them. */
export async function openStores(): Promise<Stores> {
  const sqs: { SqsStore: new () => SqsStore } = await import(own('sqs/sqsStore.js'))
  const sns: { SnsStore: new () => SnsStore } = await import(own('sns/snsStore.js'))
  const s3: { S3Store: new () => Stores['s3Store'] } = await import(own('s3/s3Store.js'))
  return { sqsStore: new sqs.SqsStore(), snsStore: new sns.SnsStore(), s3Store: new s3.S3Store() }
}
