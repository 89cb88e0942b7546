import type { Logger } from 'pino'
import type { Clock } from '../actors/kernel/clock/port.ts'
import type { AnyCommand } from '../contracts/actor.ts'
import type { Reply } from '../contracts/envelope.ts'
import { commands } from '../contracts/mesh.ts'
import { CLOSE } from '../contracts/stream.ts'
import type { Authenticator } from './auth.ts'
import { isObject, parseJson } from './body.ts'
import type { Commander, Outcome } from './command.ts'
import { conform, pathFields } from './conform.ts'
import type { Device } from './device.ts'
import { UNCONDITIONAL } from './etag.ts'
import { frameText } from './fanout.ts'
import { isKey, keyOf } from './idempotency.ts'
import { type Limits, within } from './limits.ts'
import type { EdgeMetrics } from './metrics.ts'
import { pending } from './operations.ts'
import { DEFAULT_WAIT_MS } from './prefer.ts'
import { documentOf, type EdgeProblem, invalid, notFound, problemFrom, refusedBy } from './problems.ts'
import type { Resumer } from './resume.ts'
import { contentOf } from './write.ts'

export type FrameOptions = {
  readonly say: Commander
  readonly auth: Authenticator
  readonly limits: Limits
  readonly clock: Clock
  readonly metrics: EdgeMetrics
  readonly log: Logger
  readonly resume: Resumer
}

/** What clients may send: every message that has a route, with its path's parameters. The mesh's own are as unknown as what does not exist. */
const sendable: ReadonlyMap<string, { actor: string; command: AnyCommand; ids: ReadonlySet<string> }> = new Map(
  [...commands].flatMap(([type, { actor, command }]) =>
    command.http === undefined ? [] : [[type, { actor: actor.name, command, ids: pathFields(command.http) }] as const],
  ),
)

/** Understands what clients say on their sockets. */
export const createFrames = ({ say, auth, limits, clock, metrics, log, resume }: FrameOptions) => {
  let underWay = 0
  let serial = 0

  const answer = (device: Device, id: string | null, status: number, body: unknown) => {
    if (device.say(frameText({ op: 'reply', id, status, body }))) return
    // Who asks without reading the answers may not make us keep them.
    device.close(CLOSE.budget, 'too many unread replies')
  }
  const refuse = (device: Device, id: string | null, problem: EdgeProblem) =>
    answer(device, id, problem.status, documentOf(problem, `/v1/stream#${encodeURIComponent(id ?? '')}`))

  const outcomeOf = async (device: Device, id: string, type: unknown, data: unknown, request: string): Promise<Outcome> => {
    const known = typeof type === 'string' ? sendable.get(type) : undefined
    if (!known || typeof type !== 'string') throw notFound()
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
      request,
      traceparent: null,
    })
    // Not awaited: who is answered already need not wait for those ahead, only keep its place behind them.
    const leave = () => void place.before.then(place.leave)
    outcome.then(leave, leave)
    return outcome
  }
  const told = (device: Device, id: string, { problem, ...reply }: Reply) =>
    problem ? refuse(device, id, refusedBy({ ...reply, problem })) : answer(device, id, reply.status, reply.body ?? null)

  const send = async (device: Device, { id, type, data }: Readonly<Record<string, unknown>>) => {
    const request = `${device.connection}.${(serial++).toString(36)}`
    const named = isKey(id) ? id : null
    underWay++
    try {
      const drawn = limits.users.writes.draw(device.user, clock.now())
      if (drawn.retryAfter > 0) {
        try {
          within(drawn)
        } catch (refusal) {
          refuse(
            device,
            named,
            problemFrom(refusal, () => {}),
          )
        }
        return device.close(CLOSE.budget, 'the budget of writes is used up')
      }
      if (!isKey(id)) throw invalid([{ pointer: '/id', message: 'must be 1 to 128 visible ASCII characters' }])
      const outcome = await outcomeOf(device, id, type, data, request)
      if ('reply' in outcome) told(device, id, outcome.reply)
      else answer(device, id, 202, pending(outcome.operation))
    } catch (thrown) {
      refuse(
        device,
        named,
        problemFrom(thrown, err => log.error({ err, request, type }, 'a message of a socket failed')),
      )
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
      const frame = frameOf(text)
      if (frame?.op === 'send') {
        metrics.frame('send')
        void send(device, frame)
      } else if (limits.users.reads.draw(device.user, clock.now()).retryAfter > 0) {
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
