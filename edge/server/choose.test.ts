import { expect, test } from 'vitest'
import { chooseServer } from './choose.ts'
import { listen as listenOnNode } from './node.ts'

const missing = () => Promise.reject(new Error('This version supports only …\n\nError: GLIBC_2.38 not found'))

test('uWebSockets.js serves where it loads, and node:http where it does not, which says why', async () => {
  const listen = listenOnNode
  expect(await chooseServer(undefined, async () => listen)).toMatchObject({ name: 'uws' })
  expect(await chooseServer(undefined, missing)).toMatchObject({
    name: 'node',
    why: expect.stringContaining('GLIBC_2.38'),
    listen: listenOnNode,
  })
})
test('either can be forced; one that is not there cannot', async () => {
  expect(await chooseServer('node', missing)).toMatchObject({ name: 'node', why: 'EDGE_SERVER says so' })
  expect(await chooseServer('uws')).toMatchObject({ name: 'uws', why: 'EDGE_SERVER says so' })
  await expect(chooseServer('uws', missing)).rejects.toThrow('EDGE_SERVER is uws')
})
