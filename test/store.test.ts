import { describe, test } from 'vitest'
import { openClients } from '../actors/kernel/ports/aws/clients.ts'
import { CONFORMANCE_TABLES, storeConformance } from '../actors/kernel/ports/store/conformance.ts'
import { dynamoStore } from '../actors/kernel/ports/store/dynamodb.ts'
import { startAmazonLocal } from '../deploy/emulators/dynamodb/amazon-local.ts'
import { startDynamoDb } from '../deploy/emulators/dynamodb/server.ts'
import { provisionTables } from '../deploy/provision/tables.ts'

type Engine = { readonly endpoint: string; readonly close: () => Promise<void> }
const PREFIX = 'suite-'

const onEngine = (name: string, start: () => Promise<Engine>) =>
  storeConformance(name, async clock => {
    const engine = await start()
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

onEngine('embedded DynamoDB', () => startDynamoDb())

const amazon = await startAmazonLocal()
if (amazon) onEngine("Amazon's DynamoDB Local", async () => amazon)
else
  describe.skip("store: Amazon's DynamoDB Local, which is not installed (deploy/emulators/dynamodb/amazon-local)", () => test('everything'))
