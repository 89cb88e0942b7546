import { CreateQueueCommand } from '@aws-sdk/client-sqs'
import { queueUrls } from '../../actors/kernel/ports/aws/names.ts'
import { mailboxConformance } from '../../actors/kernel/ports/mailbox/conformance.ts'
import { sqsMailbox } from '../../actors/kernel/ports/mailbox/sqs.ts'
import { witnessClients } from './reached.ts'

mailboxConformance('MiniStack', async () => {
  const clients = witnessClients()
  const { sqs, sqsPolling: polling } = clients
  // A poll that is cut lives on there and takes what comes next, as at AWS; polls of a second can be waited for.
  polling.middlewareStack.add(
    next => args => {
      if ('WaitTimeSeconds' in args.input) args.input.WaitTimeSeconds = 1
      return next(args)
    },
    { step: 'initialize' },
  )
  return {
    mailbox: sqsMailbox({ sqs, polling, queueUrl: queueUrls(sqs, ''), stopMs: 5_000 }),
    create: async name => {
      const Attributes = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}
      await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }))
    },
    close: async () => clients.close(),
  }
})
