import { z } from 'zod'
import { actorFunction } from '../../deploy/lambda/actor.ts'

/*
 * A container of the posts' function, as Lambda runs it. Its parent hands it one event at a time and is told the answer.
 */
const Invoked = z.object({ event: z.unknown(), remainingMs: z.number() })
const handler = actorFunction('posts')

process.on('message', async message => {
  const { event, remainingMs } = Invoked.parse(message)
  const until = Date.now() + remainingMs
  process.send?.(await handler(event, { getRemainingTimeInMillis: () => until - Date.now() }))
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
