import { z } from 'zod'
import type { Reply } from '../../../contracts/declare/envelope.ts'
import type { AnyCommand } from '../../../contracts/declare/messages.ts'
import { fill } from '../../../contracts/declare/records.ts'

const Made = z.object({ id: z.string() })
const Fields = z.record(z.string(), z.unknown()).transform(data => Object.fromEntries(Object.entries(data).filter(isText)))
const isText = (entry: readonly [string, unknown]): entry is [string, string] => typeof entry[1] === 'string'

/**
 * A reply with the place of what it made, below the collection that it was posted to: whoever asks for the operation later has no request to tell it by.
 * @param data the message's, where the path's parameters are
 */
export const locateReply = (reply: Reply, { http }: Pick<AnyCommand, 'http'>, data: unknown): Reply => {
  const [method, path = ''] = http?.split(' ') ?? []
  const made = reply.status === 201 && method === 'POST' ? Made.safeParse(reply.body) : undefined
  if (!made?.success) return reply
  return { ...reply, location: `${fill(path, Fields.catch({}).parse(data))}/${encodeURIComponent(made.data.id)}` }
}
