import { createHash } from 'node:crypto'

/**
 * What SQS takes as the id of a message group, and for deduplication: 1 to 128 letters, digits and punctuation of ASCII.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
const QUEUE_ID = /^[!-~]{1,128}$/
/** Before the hash of what cannot stand for itself; what begins so by itself is hashed, too, so that nobody can name another's group. */
const HASHED = '~sha256~'
const MAX_ID_CHARACTERS = 80

export const isQueueId = (text: string): boolean => QUEUE_ID.test(text)

/** UTF-16, because in UTF-8 halves of surrogate pairs would all look alike. */
const hash = (text: string): string => `${HASHED}${createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex')}`

/** A text as a queue takes it for an id: itself where that can be, else its hash. Different texts have different ids. */
export const queueId = (text: string): string => (isQueueId(text) && !text.startsWith(HASHED) ? text : hash(text))

/** A command's id out of a text that may have grown: each page of a long sweep is named after the one before. The same text has the same id. */
export const commandId = (text: string): string => (text.length <= MAX_ID_CHARACTERS ? text : hash(text))
