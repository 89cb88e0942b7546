import deleteItem from 'dynalite/validations/deleteItem.js'
import getItem from 'dynalite/validations/getItem.js'
import type { Custom, Schema } from 'dynalite/validations/index.js'
import putItem from 'dynalite/validations/putItem.js'
import updateItem from 'dynalite/validations/updateItem.js'

/** The requests that dynalite does not know, in the language that its checks understand. Fields that mean the same as in a single write are taken from it. */

/** What dynalite keeps beside each of its actions. */
export interface Validation {
  types: Schema
  custom?: Custom
}

export const onConditionFailure: Schema = { ReturnValuesOnConditionCheckFailure: { type: 'String', enum: ['ALL_OLD', 'NONE'] } }

const required = { type: 'String', notNull: true }
const capacity = { ReturnConsumedCapacity: putItem.types.ReturnConsumedCapacity }
const action = (shape: string, { types }: { types: Schema }, fields: string[], more: Schema = {}) => ({
  type: `FieldStruct<${shape}>`,
  children: { TableName: types.TableName, ...Object.fromEntries(fields.map(field => [field, types[field]])), ...more },
})
const items = (shape: string, children: Schema) => ({ type: 'List', notNull: true, children: { type: `ValueStruct<${shape}>`, children } })
const expressions = ['ConditionExpression', 'ExpressionAttributeNames', 'ExpressionAttributeValues']

export const transactWrite: Schema = {
  ...capacity,
  ReturnItemCollectionMetrics: putItem.types.ReturnItemCollectionMetrics,
  ClientRequestToken: { type: 'String', lengthGreaterThanOrEqual: 1, lengthLessThanOrEqual: 36 },
  TransactItems: items('TransactWriteItem', {
    ConditionCheck: action('ConditionCheck', deleteItem, ['Key', ...expressions], { ...onConditionFailure, ConditionExpression: required }),
    Put: action('Put', putItem, ['Item', ...expressions], onConditionFailure),
    Delete: action('Delete', deleteItem, ['Key', ...expressions], onConditionFailure),
    Update: action('Update', updateItem, ['Key', ...expressions], { ...onConditionFailure, UpdateExpression: required }),
  }),
}

export const transactGet: Schema = {
  ...capacity,
  TransactItems: items('TransactGetItem', { Get: action('Get', getItem, ['Key', 'ProjectionExpression', 'ExpressionAttributeNames']) }),
}

export const updateTimeToLive: Schema = {
  TableName: putItem.types.TableName,
  TimeToLiveSpecification: {
    type: 'FieldStruct<TimeToLiveSpecification>',
    notNull: true,
    children: {
      AttributeName: { ...required, lengthGreaterThanOrEqual: 1, lengthLessThanOrEqual: 255 },
      Enabled: { type: 'Boolean', notNull: true },
    },
  },
}

export const describeTimeToLive: Schema = { TableName: putItem.types.TableName }

export const updateContinuousBackups: Schema = {
  TableName: putItem.types.TableName,
  PointInTimeRecoverySpecification: {
    type: 'FieldStruct<PointInTimeRecoverySpecification>',
    notNull: true,
    children: {
      PointInTimeRecoveryEnabled: { type: 'Boolean', notNull: true },
      RecoveryPeriodInDays: { type: 'Integer', greaterThanOrEqual: 1, lessThanOrEqual: 35 },
    },
  },
}

export const describeContinuousBackups: Schema = { TableName: putItem.types.TableName }
