import { openClients } from '../actors/kernel/ports/aws/clients.ts'
import { CONFORMANCE_TABLES, storeConformance } from '../actors/kernel/ports/store/conformance.ts'
import { dynamoStore } from '../actors/kernel/ports/store/dynamodb.ts'
import { startDynamoDb } from '../deploy/emulators/dynamodb/server.ts'
import { provisionTables } from '../deploy/provision/tables.ts'

const PREFIX = 'suite-'

storeConformance('embedded DynamoDB', async clock => {
  const engine = await startDynamoDb()
  const clients = openClients({ AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL_DYNAMODB: engine.endpoint, EMBEDDED: true })
  await provisionTables(
    clients.dynamodb,
    CONFORMANCE_TABLES.map(table => `${PREFIX}${table}`),
    false,
  )
  const close = async () => {
    clients.close()
    await engine.close()
  }
  return { store: dynamoStore({ client: clients.dynamodb, prefix: PREFIX, clock }), close }
})
