import { once } from 'node:events'
import { Agent, request as requestOf } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import type { Operation } from './actions.ts'
import { createWire, type Wire } from './http.ts'

const CLIENTS = 8

/** A wire with one operation that ends when told to, and a socket that has asked for it. */
async function askSlowly() {
  let end = (_answer: object) => {}
  const answer = new Promise<object>(resolve => {
    end = resolve
  })
  let asked = () => {}
  const started = new Promise<void>(resolve => {
    asked = resolve
  })
  const slow: Operation = async () => {
    asked()
    return { ...(await answer) }
  }
  const wire = createWire(new Map([['Slow', slow]]))
  wire.server.listen(0, '127.0.0.1')
  await once(wire.server, 'listening')
  onTestFinished(() => wire.close())
  const socket = connect(portOf(wire), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: DynamoDB_20120810.Slow\r\nContent-Length: 2\r\n\r\n{}')
  await started
  return { wire, socket, end }
}

function portOf({ server }: Wire): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

test('close waits for the answer to what is being worked on', async () => {
  const { wire, socket, end } = await askSlowly()
  const closed = wire.close()
  end({ Item: { pk: { S: 'a' } } })
  const received: Buffer[] = []
  for await (const chunk of socket) received.push(chunk)
  // A busy client's connection would otherwise never be idle.
  expect(Buffer.concat(received).toString()).toContain('Connection: close')
  expect(Buffer.concat(received).toString()).toMatch(/^HTTP\/1.1 200.*"pk":\{"S":"a"\}/s)
  await closed
})

test('close does not wait for a client that left while its operation ran', async () => {
  const { wire, socket, end } = await askSlowly()
  socket.destroy()
  await expect.poll(() => new Promise(resolve => wire.server.getConnections((_error, count) => resolve(count)))).toBe(0)
  end({})
  await wire.close()
})

test('close does not wait for clients that never stop asking, and answers whatever it has carried out', async () => {
  let carriedOut = 0
  const fast: Operation = async () => {
    carriedOut += 1
    // Of different lengths, so that there is always one under way.
    await delay(1 + (carriedOut % 5))
    return {}
  }
  const wire = createWire(new Map([['Fast', fast]]))
  wire.server.listen(0, '127.0.0.1')
  await once(wire.server, 'listening')
  const options = {
    agent: new Agent({ keepAlive: true, maxSockets: CLIENTS }),
    port: portOf(wire),
    method: 'POST',
    headers: { 'X-Amz-Target': 'DynamoDB_20120810.Fast' },
  }
  const ask = () =>
    new Promise<boolean>(resolve => {
      const request = requestOf(options, response => response.resume().on('end', () => resolve(true)))
      request.on('error', () => resolve(false)).end('{}')
    })
  let answered = 0
  const asking = Array.from({ length: CLIENTS }, async () => {
    while (await ask()) answered += 1
  })
  await expect.poll(() => answered).toBeGreaterThan(100)
  await wire.close()
  await Promise.all(asking)
  expect(answered).toBe(carriedOut)
})
