import { CLOSE } from '../../contracts/frames.ts'
import type { Access } from '../access/access.ts'
import type { EdgeMetrics } from '../metrics/metrics.ts'
import { isObject, parseJson } from '../request/body.ts'
import type { Connection } from './connection.ts'
import { frameReplies } from './replies.ts'
import type { Resumer } from './resume.ts'
import { type SendFrameOptions, sendFrames } from './send-frame.ts'
import { tokenRenewal } from './token-renewal.ts'

export type FrameOptions = SendFrameOptions & {
  readonly access: Pick<Access, 'auth' | 'limits'>
  readonly metrics: EdgeMetrics
  readonly resume: Resumer
}

const frameOf = (text: string | null) => {
  try {
    const frame = text === null ? undefined : parseJson(text)
    return isObject(frame) ? frame : undefined
  } catch {
    return undefined
  }
}

/** Understands what clients say on their sockets. */
export const frameReader = (options: FrameOptions) => {
  const { access, clock, metrics, log, resume } = options
  const { limits } = access
  const send = sendFrames(options, frameReplies(limits, clock))
  const renew = tokenRenewal(access.auth, log)
  return {
    /** Messages that were not answered yet. */
    underWay: send.underWay,
    /** Takes one frame of a connection; null: a binary one. */
    take: (connection: Connection, text: string | null): void => {
      // What came in the same packet as the frame that ended the socket.
      if (connection.closed) return
      const frame = frameOf(text)
      if (frame?.op === 'send') {
        metrics.frame('send')
        void send.take(connection, frame)
      } else if (limits.users.reads.draw(connection.user, clock.elapsed()).retryAfter > 0) {
        connection.close(CLOSE.budget, 'the budget of reads is used up')
      } else if (frame?.op === 'auth') {
        metrics.frame('auth')
        void renew(connection, frame.token)
      } else if (frame?.op === 'resume' && typeof frame.position === 'string' && frame.position !== '') {
        metrics.frame('resume')
        void resume(connection, frame.position)
      } else {
        connection.close(CLOSE.nonsense, 'not a frame of this protocol')
      }
    },
  }
}
export type Frames = ReturnType<typeof frameReader>
