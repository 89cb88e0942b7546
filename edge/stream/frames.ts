import type { Logger } from 'pino'
import type { z } from 'zod'
import { deadline } from '../../actors/kernel/ports/clock/deadline.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { AnyCommand } from '../../contracts/declare/actor.ts'
import type { Reply } from '../../contracts/declare/envelope.ts'
import { CLOSE, type ReplyFrame } from '../../contracts/frames.ts'
import { mesh } from '../../contracts/mesh.ts'
import type { Authenticator } from '../access/auth.ts'
import { type Limits, within } from '../access/limits.ts'
import { isKey, keyOf } from '../commands/idempotency.ts'
import { pending } from '../commands/operations.ts'
import type { Commander, Outcome } from '../commands/submit.ts'
import type { Unsettled } from '../commands/unsettled.ts'
import { contentOf } from '../http/command-endpoint.ts'
import type { EdgeMetrics } from '../metrics/metrics.ts'
import { isObject, parseJson } from '../request/body.ts'
import { UNCONDITIONAL } from '../request/etag.ts'
import { DEFAULT_WAIT_MS } from '../request/prefer.ts'
import { documentOf, type EdgeProblem, invalid, notFound, problemFrom, quote, refusedBy } from '../request/problems.ts'
import { conform, pathFields } from '../request/validate.ts'
import type { Device } from './connection.ts'
import { frameText } from './fanout.ts'
import type { Resumer } from './resume.ts'
export type FrameOptions = {
  readonly say: Commander
  readonly auth: Authenticator
  readonly limits: Limits
  readonly unsettled: Pick<Unsettled, 'check'>
  readonly clock: Clock
  readonly metrics: EdgeMetrics
  readonly log: Logger
  readonly resume: Resumer
}

/** What clients may send: every message that has a route, with its path's parameters. The mesh's own are as unknown as what does not exist. */
const sendable: ReadonlyMap<string, { actor: string; command: AnyCommand; ids: ReadonlySet<string> }> = new Map(
  [...mesh.commands].flatMap(([type, { actor, command }]) =>
    command.http === undefined ? [] : [[type, { actor: actor.name, command, ids: pathFields(command.http) }] as const],
  ),
)

/** In what time a refusal surely was read, how much more a frame costs that comes after it, and how long a refusal is held against a socket. */
const READ_MS = 1_000
const DESPITE = 10
const DENIAL_MS = 30_000

/** Understands what clients say on their sockets. */
export const createFrames = ({ say, auth, limits, unsettled, clock, metrics, log, resume }: FrameOptions) => {
  let underWay = 0
  let serial = 0

  const answer = (device: Device, reply: Omit<z.infer<typeof ReplyFrame>, 'op'>) => {
    if (device.say(frameText({ op: 'reply', ...reply }))) return
    // Who asks without reading the answers may not make us keep them.
    device.close(CLOSE.budget, 'too many unread replies')
  }
  const refuse = (device: Device, id: string | null, problem: EdgeProblem) => {
    const retryAfter = problem.headers['retry-after']
    const body = documentOf(problem, `/v1/stream#${encodeURIComponent(id ?? '')}`)
    answer(device, { id, status: problem.status, body, ...(retryAfter === undefined ? {} : { retryAfter: Number(retryAfter) }) })
  }
  /** Refuses for want of budget. What was sent before the refusal can have been read is forgiven; who goes on despite it is closed. */
  const deny = (device: Device, id: string | null, problem: EdgeProblem) => {
    const now = clock.elapsed()
    refuse(device, id, problem)
    if (device.deniedAt === undefined || now - device.deniedAt > DENIAL_MS) device.deniedAt = now
    const cost = now - device.deniedAt < READ_MS ? 1 : DESPITE
    if (limits.refusals.draw(device.connection, now, cost).retryAfter > 0)
      device.close(CLOSE.budget, `went on although refused: ${problem.detail ?? problem.code}`)
  }

  const outcomeOf = async (device: Device, id: string, type: unknown, data: unknown, request: string): Promise<Outcome> => {
    const known = typeof type === 'string' ? sendable.get(type) : undefined
    if (typeof type !== 'string') throw notFound('a frame says in its `type`, a text, which message of the stream it sends')
    if (!known) throw notFound(`\`${quote(type)}\` is no message of the stream`)
    if (data !== undefined && !isObject(data)) throw invalid([{ pointer: '/data', message: 'must be an object' }])
    const fitted = conform(known.command.data, known.ids, data ?? {}, device.user)
    const place = device.takePlace()
    const outcome = say({
      place,
      type,
      actor: known.actor,
      command: known.command,
      by: device.user,
      data: fitted,
      conditions: UNCONDITIONAL,
      key: keyOf(device.user, 'stream', id, `${type} ${contentOf(fitted, UNCONDITIONAL)}`),
      waitMs: DEFAULT_WAIT_MS,
      end: deadline(clock, DEFAULT_WAIT_MS),
      request,
      traceparent: null,
    })
    // Not awaited: who is answered already need not wait for those ahead, only keep its place behind them.
    const leave = () => void place.before.then(place.leave)
    outcome.then(leave, leave)
    return outcome
  }
  const told = (device: Device, id: string, { problem, ...reply }: Reply) =>
    problem ? refuse(device, id, refusedBy({ ...reply, problem })) : answer(device, { id, status: reply.status, body: reply.body ?? null })

  const send = async (device: Device, { id, type, data }: Readonly<Record<string, unknown>>) => {
    const request = `${device.connection}.${(serial++).toString(36)}`
    const named = isKey(id) ? id : null
    underWay++
    try {
      unsettled.check(device.user)
      within(limits.users.writes.draw(device.user, clock.elapsed()))
      if (!isKey(id)) throw invalid([{ pointer: '/id', message: 'must be 1 to 128 visible ASCII characters' }])
      const outcome = await outcomeOf(device, id, type, data, request)
      if ('reply' in outcome) told(device, id, outcome.reply)
      else answer(device, { id, status: 202, body: pending(outcome.operation) })
    } catch (thrown) {
      const problem = problemFrom(thrown, err => log.error({ err, request, type }, 'a message of a socket failed'))
      if (problem.code === 'rate-limited') deny(device, named, problem)
      else refuse(device, named, problem)
    } finally {
      underWay--
    }
  }
  const renew = async (device: Device, token: unknown) => {
    if (typeof token !== 'string') return device.close(CLOSE.nonsense, 'auth needs a token')
    try {
      const caller = await auth.verify(token)
      if (caller.id !== device.user) return device.close(CLOSE.token, 'the token is somebody else’s')
      device.until = caller.until
    } catch (thrown) {
      // When it cannot be verified at the moment, the old token stands until its end.
      const { status } = problemFrom(thrown, err => log.warn({ err }, 'a token could not be verified'))
      if (status === 401) device.close(CLOSE.token, 'a valid token is needed')
    }
  }
  const frameOf = (text: string | null) => {
    try {
      const frame = text === null ? undefined : parseJson(text)
      return isObject(frame) ? frame : undefined
    } catch {
      return undefined
    }
  }

  return {
    underWay: () => underWay,
    /** Takes one frame of a device; null: a binary one. */
    take: (device: Device, text: string | null): void => {
      // What came in the same packet as the frame that ended the socket.
      if (device.closed) return
      const frame = frameOf(text)
      if (frame?.op === 'send') {
        metrics.frame('send')
        void send(device, frame)
      } else if (limits.users.reads.draw(device.user, clock.elapsed()).retryAfter > 0) {
        device.close(CLOSE.budget, 'the budget of reads is used up')
      } else if (frame?.op === 'auth') {
        metrics.frame('auth')
        void renew(device, frame.token)
      } else if (frame?.op === 'resume' && typeof frame.position === 'string' && frame.position !== '') {
        metrics.frame('resume')
        void resume(device, frame.position)
      } else {
        device.close(CLOSE.nonsense, 'not a frame of this protocol')
      }
    },
  }
}
