import { describe } from 'vitest'
import { connect } from '../../deploy/emulators/dynamodb/conformance/subject.ts'
import { conformance } from '../../deploy/emulators/dynamodb/conformance/suite.ts'
import { witness } from './reached.ts'

describe('the DynamoDB of MiniStack', () =>
  conformance('ministack', async () => {
    const { endpoint, accessKeyId, secretAccessKey } = witness()
    return { client: connect(endpoint, { accessKeyId, secretAccessKey }), close: async () => {} }
  }))
