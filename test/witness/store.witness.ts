import { CONFORMANCE_TABLES, storeConformance } from '../../actors/kernel/ports/store/conformance.ts'
import { dynamoStore } from '../../actors/kernel/ports/store/dynamodb.ts'
import { provisionTables } from '../../deploy/provision/tables.ts'
import { witnessClients } from './reached.ts'

const PREFIX = 'suite-'

storeConformance('MiniStack', async clock => {
  const clients = witnessClients()
  const tables = CONFORMANCE_TABLES.map(table => `${PREFIX}${table}`)
  await provisionTables(clients.dynamodb, tables, false)
  return { store: dynamoStore({ client: clients.dynamodb, prefix: PREFIX, clock }), close: async () => clients.close() }
})
