import { openClients } from '../../../actors/kernel/ports/aws/clients.ts'
import { queueUrls } from '../../../actors/kernel/ports/aws/names.ts'
import { systemClock } from '../../../actors/kernel/ports/clock/system.ts'
import { sqsMailbox } from '../../../actors/kernel/ports/mailbox/sqs.ts'
import { runProcess } from '../../../actors/kernel/process/process.ts'
import { registerUser } from '../../../actors/users/post-confirmation.ts'
import { mesh } from '../../../contracts/mesh.ts'
import { describeCode, startCognito } from './start.ts'

/*
 * The stand-in for Cognito beside a mesh in containers: `node --import tsx deploy/emulators/cognito/main.ts <data directory>`, at HOST and PORT. Who signs up
 * is confirmed at once and registered through the mailbox of the environment. Its key is public: publish its port on loopback only.
 */
const [, , dataDir] = process.argv

runProcess({
  mesh,
  name: 'cognito',
  start: async ({ config, log }) => {
    const { sqs, sqsPolling, close } = openClients(config)
    const mailbox = sqsMailbox({ sqs, polling: sqsPolling, queueUrl: queueUrls(sqs, config.PREFIX) })
    const cognito = await startCognito({
      ...(dataDir === undefined ? {} : { dataDir }),
      host: config.HOST,
      port: config.PORT,
      origins: config.CORS_ORIGINS,
      production: config.NODE_ENV === 'production',
      onPostConfirmation: event => registerUser({ mailbox, clock: systemClock }, event),
      onCode: message => log.warn(describeCode(message)),
      warn: text => log.warn(text),
    })
    return {
      info: { endpoint: cognito.endpoint },
      health: () => {
        const trouble = cognito.trouble()
        return { ok: trouble === undefined, ...(trouble === undefined ? {} : { trouble }) }
      },
      spans: async () => [],
      drain: async () => {
        await cognito.close()
        close()
      },
    }
  },
})
