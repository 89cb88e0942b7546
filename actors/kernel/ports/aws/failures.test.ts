import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { isOurFault } from '../../process/our-fault.ts'
import { Unsendable } from '../mailbox/port.ts'
import { ConditionLost, Unstorable } from '../store/port.ts'
import { connectionFailure, isRefusalCode, notAnAnswer, tooLate } from './failures.ts'

const named = (name: string, more: object = {}) => Object.assign(new Error(name), { name, ...more })
const client = { $fault: 'client' }

describe('an error', () => {
  const ours: [string, unknown][] = [
    ['an item that no store takes', new Unstorable('larger than 400 KB')],
    ['a message that no queue takes', new Unsendable('its group has 129 characters')],
    ['several of them', new AggregateError([new Unsendable('a'), new Unsendable('b')])],
    ['our own code', new TypeError('cannot read properties of undefined')],
    ['a number out of range', new RangeError('invalid time value')],
    ['data against its schema', z.string().safeParse(1).error],
    ...['ValidationException', 'InvalidParameterValue', 'InvalidParameter', 'InvalidMessageContents', 'ParameterValueInvalid'].map(
      (name): [string, unknown] => [name, named(name, client)],
    ),
    ['a batch that SNS refuses', named('BatchRequestTooLongException', client)],
  ]
  test.each(ours)('is our fault: %s', (_, error) => expect(isOurFault(error)).toBe(true))

  const engines: [string, unknown][] = [
    ['no answer', tooLate('http://127.0.0.1:1', 5)],
    ['HTML in between', notAnAnswer('http://127.0.0.1:1', 503)],
    ['a reset', connectionFailure(Object.assign(new Error('reset'), { code: 'ECONNRESET' }), 'http://127.0.0.1:1')],
    ['a name that does not resolve', Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' })],
    ['what nobody has a word for', new Error('Connection is closed.')],
    ['one of several', new AggregateError([new Unsendable('a'), new Error('no answer')])],
    ['nothing at all', undefined],
    ...[
      'ThrottlingException',
      'ProvisionedThroughputExceededException',
      'RequestLimitExceeded',
      'InternalServerError',
      'ServiceUnavailable',
      'QueueDoesNotExist',
      'ResourceNotFoundException',
      'NotFound',
      'AccessDeniedException',
      'AuthorizationError',
      'ExpiredTokenException',
      'UnrecognizedClientException',
      'OverLimit',
    ].map((name): [string, unknown] => [name, named(name, client)]),
  ]
  test.each(engines)('is an engine’s: %s', (_, error) => expect(isOurFault(error)).toBe(false))

  test('of a lost race is nobody’s', () => expect(isOurFault(new ConditionLost([]))).toBe(false))
})

test('codes are known with what SQS and SNS write around them', () => {
  for (const code of [
    'AWS.SimpleQueueService.InvalidBatchEntryId',
    'com.amazonaws.sqs#InvalidMessageContents',
    'EmptyBatchRequestException',
  ])
    expect(isRefusalCode(code)).toBe(true)
  for (const code of ['InternalError', 'RequestThrottled', '']) expect(isRefusalCode(code)).toBe(false)
})
