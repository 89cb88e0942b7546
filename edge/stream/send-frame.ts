import type { Logger } from 'pino'
import { deadline } from '../../actors/kernel/ports/clock/deadline.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { AnyCommand } from '../../contracts/declare/messages.ts'
import type { Mesh } from '../../contracts/derive/mesh.ts'
import type { Access } from '../access/access.ts'
import { within } from '../access/limits.ts'
import type { CommandRequest, CommandResult, SubmitCommand } from '../commands/command-request.ts'
import { contentOf, isKey, keyOf } from '../commands/idempotency.ts'
import { pending } from '../commands/operations.ts'
import type { Unsettled } from '../commands/unsettled.ts'
import { isObject } from '../request/body.ts'
import { UNCONDITIONAL } from '../request/etag.ts'
import { DEFAULT_WAIT_MS } from '../request/prefer.ts'
import { invalid, notFound, problemFrom, quote, replyProblem } from '../request/problems.ts'
import { conform, pathFields } from '../request/validate.ts'
import type { Connection } from './connection.ts'
import type { FrameReplies } from './replies.ts'

export type SendFrameOptions = {
  readonly mesh: Mesh
  readonly submit: SubmitCommand
  readonly access: Pick<Access, 'limits'>
  readonly unsettled: Pick<Unsettled, 'check'>
  readonly clock: Clock
  readonly log: Logger
}
type Frame = Readonly<Record<string, unknown>>
type Sendable = { readonly actor: string; readonly command: AnyCommand; readonly ids: ReadonlySet<string> }

/** What clients may send: every message that has a route, with its path's parameters. The mesh's own are as unknown as what does not exist. */
const sendableOf = (mesh: Mesh): ReadonlyMap<string, Sendable> =>
  new Map(
    [...mesh.commands].flatMap(([type, { actor, command }]) =>
      command.http === undefined ? [] : [[type, { actor: actor.name, command, ids: pathFields(command.http) }] as const],
    ),
  )

/** Reads the command that a `send` frame holds. @throws EdgeProblem `not-found`, `validation-failed` */
const commandReader = (mesh: Mesh, clock: Clock) => {
  const sendable = sendableOf(mesh)
  return ({ user }: Connection, id: string, { type, data }: Frame, request: string): CommandRequest => {
    if (typeof type !== 'string') throw notFound('a frame says in its `type`, a text, which message of the stream it sends')
    const known = sendable.get(type)
    if (!known) throw notFound(`\`${quote(type)}\` is no message of the stream`)
    if (data !== undefined && !isObject(data)) throw invalid([{ pointer: '/data', message: 'must be an object' }])
    const fitted = conform(known.command.data, known.ids, data ?? {}, user)
    return {
      type,
      actor: known.actor,
      command: known.command,
      by: user,
      data: fitted,
      conditions: UNCONDITIONAL,
      key: keyOf(user, 'stream', id, `${type} ${contentOf(fitted, UNCONDITIONAL)}`),
      waitMs: DEFAULT_WAIT_MS,
      end: deadline(clock, DEFAULT_WAIT_MS),
      request,
      traceparent: null,
    }
  }
}

/** Takes the `send` frames of clients. */
export const sendFrames = ({ mesh, submit, access, unsettled, clock, log }: SendFrameOptions, replies: FrameReplies) => {
  const read = commandReader(mesh, clock)
  let underWay = 0
  let serial = 0
  const submitInOrder = (connection: Connection, request: CommandRequest): Promise<CommandResult> => {
    const order = connection.joinSendOrder()
    const result = submit({ ...request, order })
    // Not awaited: who is answered already need not wait for those ahead, only keep its turn behind them.
    const leave = () => void order.before.then(order.leave)
    result.then(leave, leave)
    return result
  }
  const answer = (connection: Connection, id: string, result: CommandResult): void => {
    const problem = 'reply' in result ? replyProblem(mesh.problems, result.reply) : undefined
    if (problem) replies.refuse(connection, id, problem)
    else if ('operation' in result) replies.reply(connection, { id, status: 202, body: pending(result.operation) })
    else replies.reply(connection, { id, status: result.reply.status, body: result.reply.body ?? null })
  }
  return {
    underWay: () => underWay,
    take: async (connection: Connection, frame: Frame): Promise<void> => {
      const request = `${connection.id}.${(serial++).toString(36)}`
      const { id, type } = frame
      underWay++
      try {
        unsettled.check(connection.user)
        within(access.limits.users.writes.draw(connection.user, clock.elapsed()))
        if (!isKey(id)) throw invalid([{ pointer: '/id', message: 'must be 1 to 128 visible ASCII characters' }])
        answer(connection, id, await submitInOrder(connection, read(connection, id, frame, request)))
      } catch (thrown) {
        const problem = problemFrom(thrown, err => log.error({ err, request, type }, 'a message of a socket failed'))
        const refuse = problem.code === 'rate-limited' ? replies.refuseOverBudget : replies.refuse
        refuse(connection, isKey(id) ? id : null, problem)
      } finally {
        underWay--
      }
    },
  }
}
