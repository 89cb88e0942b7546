import { expect, test } from 'vitest'
import { chooseServer } from './choose.ts'
import { explainLoadFailure, type Machine, SERVER_REASONS, thisMachine } from './load-failure.ts'
import { listen as listenOnNode } from './node.ts'

const supports = 'This version of uWS.js supports only Node.js versions 16, …\n\n'
const failures: Readonly<Record<string, { error: Error; machine: Partial<Machine>; reason: string; says: RegExp }>> = {
  'a glibc that is too old': {
    error: new Error(`${supports}Error: /lib/libc.so.6: version \`GLIBC_2.38' not found (required by /x/uws_linux_x64_137.node)`),
    machine: { node: '24.21.0', abi: '137', glibc: '2.36' },
    reason: SERVER_REASONS.glibc,
    says: /Node\.js 24\.21\.0 .*needs GLIBC_2\.38, this system has glibc 2\.36.*Node\.js 20/,
  },
  musl: {
    error: new Error(`${supports}Error: Error loading shared library ld-linux-x86-64.so.2: No such file or directory`),
    machine: { glibc: undefined },
    reason: SERVER_REASONS.musl,
    says: /musl.*ld-linux-x86-64\.so\.2.*a system with glibc/,
  },
  'musl, in words of its own about versions': {
    error: new Error(`${supports}Error: version GLIBC_2.38 is missing`),
    machine: { glibc: undefined },
    reason: SERVER_REASONS.musl,
    says: /musl/,
  },
  'a Node.js that has no binary': {
    error: new Error(`${supports}Error: Cannot find module './uws_linux_x64_999.node'\nRequire stack:\n- /x/uws.js`),
    machine: { node: '99.0.0', abi: '999' },
    reason: SERVER_REASONS.noBinary,
    says: /no binary for Node\.js 99\.0\.0 \(ABI 999\) on linux x64.*20, 22 or 24/,
  },
  'a package that is not there': {
    error: new Error("Cannot find package 'uWebSockets.js' imported from /x/uws.ts"),
    machine: {},
    reason: SERVER_REASONS.absent,
    says: /not in node_modules.*npm ci/,
  },
  'a damaged binary': {
    error: new Error(`${supports}Error: /x/uws_linux_x64_115.node: file too short`),
    machine: {},
    reason: SERVER_REASONS.broken,
    says: /file too short.*npm ci/,
  },
}
const machine = (over: Partial<Machine>): Machine => ({
  platform: 'linux',
  arch: 'x64',
  node: '20.20.0',
  abi: '115',
  glibc: '2.36',
  ...over,
})

test.each(Object.entries(failures))(
  '%s: node:http serves and says why; who wants uWebSockets.js is told what to do',
  async (_, failure) => {
    const { error, reason, says } = failure
    const here = () => machine(failure.machine)
    const load = () => Promise.reject(error)
    const [detail = ''] = says.source.split('.*').slice(-2)
    expect(await chooseServer(undefined, load, here)).toMatchObject({
      name: 'node',
      reason,
      why: expect.stringMatching(new RegExp(`^uWebSockets\\.js does not load here: .*${detail}`)),
      listen: listenOnNode,
    })
    await expect(chooseServer('uws', load, here)).rejects.toThrow(new RegExp(`^EDGE_SERVER is uws.*${says.source}.*leave EDGE_SERVER out`))
  },
)
test('uWebSockets.js serves where it loads; either can be forced', async () => {
  const load = async () => listenOnNode
  expect(await chooseServer(undefined, load)).toMatchObject({ name: 'uws', reason: SERVER_REASONS.loads })
  expect(await chooseServer('uws', load)).toMatchObject({ name: 'uws', why: 'EDGE_SERVER says so' })
  expect(await chooseServer('node', () => Promise.reject(new Error('not asked')))).toMatchObject({
    name: 'node',
    why: 'EDGE_SERVER says so',
  })
})
test('this machine is told by its own Node.js, and whatever is thrown is explained', () => {
  expect(thisMachine()).toMatchObject({ platform: process.platform, node: process.versions.node, abi: process.versions.modules })
  for (const thrown of ['a word', undefined, new Error('')]) expect(explainLoadFailure(thrown, thisMachine()).remedy).not.toBe('')
})
