import { environment, readConfig, silenceNodeNotice } from '../../actors/kernel/config/config.ts'
import { openClients } from '../../actors/kernel/ports/aws/clients.ts'
import { queueUrls } from '../../actors/kernel/ports/aws/names.ts'
import { systemClock } from '../../actors/kernel/ports/clock/system.ts'
import { sqsMailbox } from '../../actors/kernel/ports/mailbox/sqs.ts'
import { registerUser } from '../../actors/users/post-confirmation.ts'
import { mesh } from '../../contracts/mesh.ts'
import { once } from './once.ts'

silenceNodeNotice()
const mailbox = once(async () => {
  const config = readConfig(environment({}), mesh)
  const { sqs, sqsPolling } = openClients(config)
  return sqsMailbox({ sqs, polling: sqsPolling, queueUrl: queueUrls(sqs, config.PREFIX) })
})

/** Cognito's post-confirmation trigger as a Lambda function. It needs the users' mailbox and nothing else. @returns the event, as Cognito asks */
export const handler = async <E>(event: E): Promise<E> => {
  await registerUser({ mailbox: await mailbox(), clock: systemClock }, event)
  return event
}
