import { z } from 'zod'
import { Reply } from '../../../../contracts/declare/envelope.ts'
import type { EdgeListener, Live } from './port.ts'

const Frame = z.object({ id: z.string(), to: z.array(z.string()), type: z.string(), at: z.string(), data: z.unknown() })
const Word = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('reply'), command: z.string(), reply: Reply, kept: z.boolean().default(false) }),
  z.object({ kind: z.literal('live'), frames: z.array(Frame) }),
])

/** What goes over an edge's channel, as JSON. */
export const replyWord = (command: string, reply: Reply, kept: boolean): string => JSON.stringify({ kind: 'reply', command, reply, kept })
export const liveWord = (frames: readonly Live[]): string => JSON.stringify({ kind: 'live', frames })

/** Hands what came over a channel to its listener. @throws when it is none of these words: another version speaks, or somebody else */
export const hearWord = (text: string, listener: EdgeListener): void => {
  const word = Word.parse(JSON.parse(text))
  if (word.kind === 'reply') listener.reply(word.command, word.reply, word.kept)
  else for (const frame of word.frames) listener.live(frame)
}
