import { expect, test } from 'vitest'
import { Envelope } from '../../contracts/declare/envelope.ts'
import { mesh } from '../../contracts/mesh.ts'
import type { Outgoing } from '../kernel/ports/mailbox/port.ts'
import { readCommand } from '../kernel/worker/inbox.ts'
import { registerUser } from './post-confirmation.ts'

const sub = '0190c0de-0000-7000-8000-000000000001'
const event = { triggerSource: 'PostConfirmation_ConfirmSignUp', request: { userAttributes: { sub, email: 'ann@example.com' } } }
const box = () => {
  const sent: { queue: string; message: Outgoing }[] = []
  const mailbox = { send: async (queue: string, message: Outgoing) => void sent.push({ queue, message }) }
  return { sent, mailbox, clock: { now: () => 1_700_000_000_000 } }
}
const users = mesh.actors.find(a => a.name === 'users') ?? expect.fail('there are no users')

test('a confirmed sign-up is a message that the users actor can read', async () => {
  const { sent, ...ports } = box()
  await registerUser(ports, event)
  const [{ queue, message } = expect.fail('nothing was sent')] = sent
  expect(queue).toBe('users.fifo')
  const taken = readCommand(users, {
    ...message,
    group: message.group,
    attributes: {},
    receives: 1,
    sentAt: 0,
    ack: async () => {},
    extend: async () => {},
  })
  expect(taken.message.data).toEqual({ userId: sub, email: 'ann@example.com' })
  expect(taken.envelope).toEqual(Envelope.parse(JSON.parse(message.body)))
})

test('a repeated event is the same message', async () => {
  const { sent, ...ports } = box()
  await registerUser(ports, event)
  await registerUser(ports, event)
  expect(sent[1]?.message.id).toBe(sent[0]?.message.id)
})

test('an event without a person is refused', async () => {
  const { sent, ...ports } = box()
  await expect(registerUser(ports, { request: { userAttributes: {} } })).rejects.toThrow('sub')
  expect(sent).toEqual([])
})
