import { z } from 'zod'
import type { Envelope } from '../../contracts/declare/envelope.ts'
import { groupOf } from '../../contracts/declare/messages.ts'
import { UserId } from '../../contracts/declare/text.ts'
import { commandQueue } from '../../contracts/derive/topology.ts'
import { users } from '../../contracts/users.ts'
import type { Clock } from '../kernel/ports/clock/port.ts'
import { commandMessage } from '../kernel/ports/mailbox/command-message.ts'
import { commandId } from '../kernel/ports/mailbox/ids.ts'
import type { Mailbox } from '../kernel/ports/mailbox/port.ts'

/**
 * What is needed of Cognito's event.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-confirmation.html
 */
const Confirmed = z.object({ request: z.object({ userAttributes: z.object({ sub: UserId, email: z.string() }) }) })

/**
 * Cognito's post-confirmation trigger: tells users who signed up. Resolves when the mailbox has the message; that it was handled is nobody's concern here,
 * since a profile can begin before. A repeated event is the same message, and it comes again with every password reset, which heals a registration
 * that was lost.
 * @throws when the event names no person, or the mailbox does not take the message: Cognito then fails the sign-up, and the person asks again
 */
export const registerUser = async (
  { mailbox, clock }: { readonly mailbox: Pick<Mailbox, 'send'>; readonly clock: Pick<Clock, 'now'> },
  event: unknown,
): Promise<void> => {
  const { sub: userId, email } = Confirmed.parse(event).request.userAttributes
  const id = commandId(`sign-up-${userId}`)
  const message = { id, by: userId, at: new Date(clock.now()).toISOString(), data: { userId, email } }
  const envelope: Envelope = {
    v: 1,
    ...message,
    type: 'user.register',
    key: groupOf(users.commands['user.register'], message),
    trace: { request: id, cause: null, traceparent: null },
  }
  await mailbox.send(commandQueue(users.name), commandMessage(envelope))
}
