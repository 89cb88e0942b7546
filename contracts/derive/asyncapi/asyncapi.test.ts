import { createRequire } from 'node:module'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { CLOSE } from '../../frames.ts'
import { mesh } from '../../mesh.ts'
import { stream, streamEvents } from '../../stream.ts'
import { asyncapi } from './asyncapi.ts'

const text = JSON.stringify(asyncapi(mesh, stream, { prefix: 'test-' }))
const document: Record<string, unknown> = JSON.parse(text)
const require = createRequire(import.meta.url)
const specification: object = require('@asyncapi/specs/schemas/3.0.0.json')

const at = (ref: string): unknown =>
  ref
    .split('/')
    .slice(1)
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((value, part) => z.record(z.string(), z.unknown()).safeParse(value).data?.[part], document)

describe('the AsyncAPI document', () => {
  test('is valid by the official schema of AsyncAPI 3.0', () => {
    // the schema brings draft-07 along itself
    const ajv = new Ajv({ strict: false, allErrors: true, meta: false, validateSchema: false })
    addFormats.default(ajv)
    const valid = ajv.validate(specification, document)
    expect(ajv.errors ?? []).toEqual([])
    expect(valid).toBe(true)
    // and the schema can say no
    expect(ajv.validate(specification, { ...document, channels: { stream: { address: 1 } } })).toBe(false)
  })

  test('has every event and frame of the stream, and every message that a client may send', () => {
    for (const type of Object.keys(streamEvents))
      expect(at(`#/channels/stream/messages/event-${type.replaceAll('.', '-')}`), type).toBeDefined()
    for (const [type, { command }] of mesh.commands)
      expect(at(`#/channels/stream/messages/send-${type.replaceAll('.', '-')}`) !== undefined, type).toBe(command.http !== undefined)
    expect(at('#/channels/stream/messages/frame-hello')).toBeDefined()
    expect(at('#/channels/stream/messages/frame-resume')).toBeDefined()
  })

  test('says of frames what the product says of them', () => {
    expect(at('#/components/messages/frame-resume')).toMatchObject({ description: stream.notes.resume })
    expect(at('#/components/messages/event-post-liked')).toMatchObject({ description: stream.notes.event })
  })

  test('tells why a socket is closed', () => {
    for (const code of Object.values(CLOSE)) expect(at('#/channels/stream/description')).toContain(String(code))
  })

  test('has every mailbox, topic and queue of the topology, with its messages', () => {
    const { mailboxes, topics, subscribers } = mesh.topology('test-')
    for (const name of [...mailboxes.map(m => m.queue), ...topics.map(t => t.topic), ...subscribers.map(h => h.queue)])
      expect(text).toContain(`"address":"${name}"`)
    for (const actor of mesh.actors) {
      for (const type of Object.keys(actor.commands))
        expect(at(`#/channels/${actor.name}-mailbox/messages/command-${type.replaceAll('.', '-')}`), type).toBeDefined()
      for (const type of Object.keys(actor.events))
        expect(at(`#/channels/${actor.name}-events/messages/told-${type.replaceAll('.', '-')}`), type).toBeDefined()
    }
  })

  test('refers only to what is there', () => {
    const refs = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(m => m[1] ?? '')
    expect(refs.length).toBeGreaterThan(50)
    for (const ref of refs) expect(at(ref), ref).toBeDefined()
  })
})
