import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { startRedis } from './start.ts'

/** `at` is an address or the path of a socket; ioredis takes both. */
type Engine = { at: string; open(): Socket; close(): Promise<void> }

async function embedded(): Promise<Engine> {
  const { url, close } = await startRedis()
  return { at: url, open: () => connect(Number(new URL(url).port), '127.0.0.1'), close }
}

/** On a socket file, so that no port can be taken meanwhile. */
async function real(): Promise<Engine> {
  const folder = await mkdtemp(join(tmpdir(), 'dailygrind-test-'))
  const at = join(folder, 'redis.sock')
  const options = [
    '--port',
    '0',
    '--unixsocket',
    at,
    '--save',
    '',
    '--appendonly',
    'no',
    '--maxmemory-policy',
    'noeviction',
    '--dir',
    folder,
  ]
  const server: ChildProcess = spawn('redis-server', options, { stdio: 'ignore' })
  return {
    at,
    open: () => connect(at),
    async close() {
      const ended = once(server, 'exit')
      server.kill('SIGKILL')
      await ended
      await rm(folder, { recursive: true })
    },
  }
}

const found = spawnSync('redis-server', ['--version']).status === 0
if (!found) console.warn('\n*** redis-server is not on the PATH: the embedded Redis was NOT compared with a real one ***\n')

describe.each([
  { name: 'embedded', start: embedded, here: true },
  { name: 'redis-server', start: real, here: found },
])('$name', ({ start, here }) => {
  let engine: Engine
  let redis: Redis
  const clients: Redis[] = []

  const client = (options: object = {}): Redis => {
    const made = new Redis(engine.at, { retryStrategy: () => 50, ...options })
    made.on('error', () => {})
    clients.push(made)
    return made
  }

  beforeAll(async () => {
    if (!here) return
    engine = await start()
    redis = client()
    await redis.ping()
  }, 30_000)

  afterEach(async () => {
    if (!here) return
    for (const each of clients.splice(1)) each.disconnect()
    await redis.flushall()
  })

  afterAll(async () => {
    if (!here) return
    redis.disconnect()
    await engine.close()
  })

  const it = test.skipIf(!here)

  it('lets the client in as it comes, ready check included', async () => {
    const named = client({ connectionName: 'edge-1', protocol: 2 })
    expect(await named.ping()).toBe('PONG')
    expect(await named.ping('hello')).toBe('hello')
    expect(await named.client('GETNAME')).toBe('edge-1')
    expect(await named.select(0)).toBe('OK')
    await expect(named.select(99)).rejects.toThrow('ERR DB index is out of range')
    await expect(named.call('AUTH', 'secret')).rejects.toThrow(/without any password configured/)
    expect(await named.info()).toContain('redis_version:')
    expect(await named.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction'])
    expect(await named.config('GET', 'no-such-setting')).toEqual([])
    expect(await named.quit()).toBe('OK')
  })

  it('keeps text, bytes and all', async () => {
    const text = 'naïve ☕ 日本 \r\n $5 *3 \0'
    expect(await redis.set('k:é', text)).toBe('OK')
    expect(await redis.get('k:é')).toBe(text)
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    await redis.set('bytes', bytes)
    expect(await redis.getBuffer('bytes')).toEqual(bytes)
    expect(await redis.get('none')).toBeNull()
    await redis.set('empty', '')
    expect(await redis.mget('k:é', 'none', 'empty')).toEqual([text, null, ''])
    expect(await redis.del('k:é', 'none', 'empty')).toBe(2)
    expect(await redis.get('k:é')).toBeNull()
  })

  it('keeps a value larger than a network packet', async () => {
    const large = 'x'.repeat(3_000_000)
    await redis.set('large', large)
    expect(await redis.get('large')).toBe(large)
  })

  it('sets only what is not there, or is', async () => {
    expect(await redis.set('claim', 'a', 'EX', 100, 'NX')).toBe('OK')
    expect(await redis.set('claim', 'b', 'EX', 100, 'NX')).toBeNull()
    expect(await redis.get('claim')).toBe('a')
    expect(await redis.set('claim', 'c', 'XX')).toBe('OK')
    expect(await redis.set('other', 'c', 'XX')).toBeNull()
    expect(await redis.get('claim')).toBe('c')
  })

  it('refuses options that make no sense', async () => {
    await expect(redis.call('SET', 'k', 'v', 'EX')).rejects.toThrow('ERR syntax error')
    await expect(redis.call('SET', 'k', 'v', 'EX', 'soon')).rejects.toThrow('ERR value is not an integer or out of range')
    await expect(redis.call('SET', 'k', 'v', 'EX', '0')).rejects.toThrow("ERR invalid expire time in 'set' command")
    await expect(redis.call('SET', 'k', 'v', 'NX', 'XX')).rejects.toThrow('ERR syntax error')
    await expect(redis.call('SET', 'k', 'v', 'SOON')).rejects.toThrow('ERR syntax error')
    expect(await redis.get('k')).toBeNull()
  })

  it('lets keys expire, and tells how long they have', async () => {
    await redis.set('ex', '1', 'EX', 1000)
    await redis.set('px', '1', 'PX', 2_000_000)
    expect([await redis.ttl('ex'), await redis.ttl('px')].map(seconds => Math.ceil(seconds / 1000))).toEqual([1, 2])
    expect(Math.ceil((await redis.pttl('px')) / 1_000_000)).toBe(2)
    expect(await redis.ttl('none')).toBe(-2)
    await redis.set('ex', '2')
    expect(await redis.ttl('ex')).toBe(-1)
    expect(await redis.expire('ex', 500)).toBe(1)
    expect(Math.ceil((await redis.ttl('ex')) / 100)).toBe(5)
    expect(await redis.expire('none', 5)).toBe(0)
    await expect(redis.call('EXPIRE', 'ex', 'soon')).rejects.toThrow('ERR value is not an integer or out of range')
    expect(await redis.expire('ex', -1)).toBe(1)
    expect(await redis.get('ex')).toBeNull()
    await redis.sadd('set', 'a')
    expect(await redis.pexpire('set', 20)).toBe(1)
    await redis.set('short', '1', 'PX', 20)
    await vi.waitFor(async () => expect([await redis.get('short'), await redis.scard('set')]).toEqual([null, 0]), { timeout: 5_000 })
    expect(await redis.del('short')).toBe(0)
    expect(await redis.set('short', '2', 'NX')).toBe('OK')
  })

  it('keeps sets', async () => {
    expect(await redis.sadd('s', 'a', 'b', 'a')).toBe(2)
    expect(await redis.sadd('s', 'b', 'c')).toBe(1)
    expect((await redis.smembers('s')).sort()).toEqual(['a', 'b', 'c'])
    expect(await redis.scard('s')).toBe(3)
    expect(await redis.srem('s', 'a', 'none')).toBe(1)
    expect(await redis.srem('s', 'b', 'c')).toBe(2)
    expect(await redis.smembers('s')).toEqual([])
    expect(await redis.ttl('s')).toBe(-2)
  })

  it('keeps hashes', async () => {
    expect(await redis.hset('h', 'a', '1', 'b', '2')).toBe(2)
    expect(await redis.hset('h', { b: '3', c: '4' })).toBe(1)
    expect(await redis.hgetall('h')).toEqual({ a: '1', b: '3', c: '4' })
    expect(await redis.hdel('h', 'a', 'none')).toBe(1)
    expect(await redis.hdel('h', 'b', 'c')).toBe(2)
    expect(await redis.hgetall('h')).toEqual({})
    expect(await redis.ttl('h')).toBe(-2)
    await expect(redis.call('HSET', 'h', 'a', '1', 'b')).rejects.toThrow("ERR wrong number of arguments for 'hset' command")
  })

  it('keeps lists', async () => {
    expect(await redis.rpush('l', 'a', 'b')).toBe(2)
    expect(await redis.rpush('l', 'c')).toBe(3)
    expect(await redis.lrange('l', 0, -1)).toEqual(['a', 'b', 'c'])
    expect(await redis.lrange('l', 1, 1)).toEqual(['b'])
    expect(await redis.lrange('l', -2, 10)).toEqual(['b', 'c'])
    expect(await redis.lrange('l', -9, -3)).toEqual(['a'])
    for (const [from, to] of [
      [2, 1],
      [3, 5],
      [0, -4],
    ] as const)
      expect(await redis.lrange('l', from, to)).toEqual([])
    expect(await redis.lrange('none', 0, -1)).toEqual([])
    expect(await redis.expire('l', 100)).toBe(1)
    await expect(redis.lrange('l', 'x', 1)).rejects.toThrow('ERR value is not an integer')
    await expect(redis.get('l')).rejects.toThrow('WRONGTYPE')
  })

  it('names what it does not know, what is missing, and what is of another kind', async () => {
    await expect(redis.call('NONSENSE', 'a', 'b')).rejects.toThrow("ERR unknown command 'NONSENSE', with args beginning with: 'a' 'b' ")
    await expect(redis.call('GET')).rejects.toThrow("ERR wrong number of arguments for 'get' command")
    await expect(redis.call('GET', 'a', 'b')).rejects.toThrow("ERR wrong number of arguments for 'get' command")
    await redis.set('k', 'v')
    for (const wrong of [redis.sadd('k', 'a'), redis.hset('k', 'a', '1'), redis.smembers('k'), redis.hgetall('k')]) {
      await expect(wrong).rejects.toThrow('WRONGTYPE Operation against a key holding the wrong kind of value')
    }
    await redis.sadd('s', 'a')
    await expect(redis.get('s')).rejects.toThrow('WRONGTYPE')
    expect(await redis.mget('k', 's')).toEqual(['v', null])
    expect(await redis.set('s', 'now text')).toBe('OK')
  })

  it('answers a pipeline in order, errors in their places', async () => {
    const pipeline = redis.pipeline()
    for (let n = 0; n < 5_000; n++) pipeline.set(`p${n}`, `v${n}`).get(`p${n}`)
    pipeline.call('NONSENSE').get('p4999')
    const results = (await pipeline.exec()) ?? []
    expect(results).toHaveLength(10_002)
    expect(results.slice(0, 10_000).every(([error, value], at) => error === null && value === (at % 2 ? `v${(at - 1) / 2}` : 'OK'))).toBe(
      true,
    )
    expect(results[10_000]?.[0]?.message).toContain('unknown command')
    expect(results[10_001]).toEqual([null, 'v4999'])
  })

  it('runs a transaction as one, or not at all', async () => {
    const results = await redis.multi().set('a', '1').sadd('a', 'x').get('a').exec()
    expect(results?.map(([error, value]) => error?.message.split(' ')[0] ?? value)).toEqual(['OK', 'WRONGTYPE', '1'])
    await expect(redis.multi().set('a', '2').call('NONSENSE').exec()).rejects.toThrow('EXECABORT')
    expect(await redis.get('a')).toBe('1')
    await expect(redis.exec()).rejects.toThrow('ERR EXEC without MULTI')
    const open = client()
    await open.multi({ pipeline: false })
    expect(await open.set('a', '3')).toBe('QUEUED')
    expect(await redis.get('a')).toBe('1')
    await expect(open.call('MULTI')).rejects.toThrow('ERR MULTI calls can not be nested')
    expect(await open.discard()).toBe('OK')
    expect(await redis.get('a')).toBe('1')
  })

  it('hands messages to those who listen, in order, and to no one else', async () => {
    const [one, two] = [client(), client()]
    const got: string[] = []
    one.on('message', (channel, message) => got.push(`one ${channel} ${message}`))
    two.on('message', (channel, message) => got.push(`two ${channel} ${message}`))
    expect(await one.subscribe('a', 'b')).toBe(2)
    expect(await two.subscribe('b')).toBe(1)
    expect(await redis.publish('nobody', 'x')).toBe(0)
    expect(await redis.publish('a', 'é1')).toBe(1)
    expect(await redis.publish('b', '2')).toBe(2)
    expect(await redis.pipeline().publish('a', '3').publish('a', '4').publish('b', '5').exec()).toEqual([
      [null, 1],
      [null, 1],
      [null, 2],
    ])
    await vi.waitFor(() => expect(got).toHaveLength(7))
    expect(got.filter(line => line.startsWith('one'))).toEqual(['one a é1', 'one b 2', 'one a 3', 'one a 4', 'one b 5'])
    expect(got.filter(line => line.startsWith('two'))).toEqual(['two b 2', 'two b 5'])
  })

  it('lets a subscriber leave, and work again when it left all', async () => {
    const subscriber = client({ protocol: 2 })
    await subscriber.subscribe('a', 'b', 'c')
    expect(await subscriber.ping()).toEqual(['pong', ''])
    expect(await subscriber.unsubscribe('a', 'none')).toBe(2)
    expect(await redis.publish('a', 'x')).toBe(0)
    expect(await redis.publish('b', 'x')).toBe(1)
    expect(await subscriber.unsubscribe()).toBe(0)
    expect(await redis.publish('b', 'x')).toBe(0)
    expect(await subscriber.get('none')).toBeNull()
    expect(await subscriber.unsubscribe()).toBe(0)
  })

  it('forgets a subscriber that is gone', async () => {
    const subscriber = client()
    await subscriber.subscribe('a')
    expect(await redis.publish('a', 'x')).toBe(1)
    subscriber.disconnect()
    await vi.waitFor(async () => expect(await redis.publish('a', 'x')).toBe(0), { timeout: 5_000 })
  })

  it('lets nothing but subscriptions on a subscribed connection', async () => {
    const socket = engine.open()
    const lines = reader(socket)
    socket.write(words('SUBSCRIBE', 'a') + words('GET', 'k') + words('PING') + words('UNSUBSCRIBE') + words('GET', 'k'))
    await vi.waitFor(() => expect(lines()).toHaveLength(19))
    expect(lines()[6]).toMatch(/^-ERR Can't execute 'get'/)
    expect(lines().slice(7, 11)).toEqual(['*2', '$4', 'pong', '$0'])
    expect(lines().at(-1)).toBe('$-1')
    socket.destroy()
  })

  it('cuts off a subscriber that does not read, and nobody else', { timeout: 60_000 }, async () => {
    const reading = client()
    let received = 0
    reading.on('message', (_channel, message) => {
      received += message.length
    })
    await reading.subscribe('flood')
    const stuck = engine.open()
    stuck.write(words('SUBSCRIBE', 'flood'))
    await once(stuck, 'data')
    stuck.pause()
    const message = 'x'.repeat(1_000_000)
    let sent = 0
    await vi.waitFor(
      async () => {
        const listeners = await redis.publish('flood', message)
        sent += message.length
        expect(listeners).toBe(1)
      },
      { timeout: 50_000, interval: 0 },
    )
    await vi.waitFor(() => expect(received).toBe(sent), { timeout: 10_000 })
    stuck.destroy()
  })

  it('answers nonsense with an error and hangs up', async () => {
    const socket = engine.open()
    const lines = reader(socket)
    const ended = once(socket, 'close')
    socket.write('*1\r\n$-5\r\nnonsense\r\n')
    await ended
    expect(lines()[0]).toMatch(/^-ERR Protocol error/)
    expect(await redis.ping()).toBe('PONG')
  })

  it('takes a command in pieces, and several in one', async () => {
    const socket = engine.open()
    socket.setNoDelay(true)
    const lines = reader(socket)
    const text = words('SET', 'piece', 'whole') + words('GET', 'piece')
    for (const character of text) {
      socket.write(character)
      await new Promise(setImmediate)
    }
    await vi.waitFor(() => expect(lines()).toEqual(['+OK', '$5', 'whole']))
    socket.write(words('PING') + words('QUIT'))
    await once(socket, 'close')
    expect(lines().slice(3)).toEqual(['+PONG', '+OK'])
  })

  it('forgets everything when told', async () => {
    await redis.set('a', '1', 'EX', 100)
    await redis.sadd('s', 'a')
    expect(await redis.flushall()).toBe('OK')
    expect(await redis.mget('a', 's')).toEqual([null, null])
    expect(await redis.set('a', '1', 'NX')).toBe('OK')
    expect(await redis.ttl('a')).toBe(-1)
  })
})

describe('the embedded server', () => {
  test('closes with connections open, and its port is free again', async () => {
    const first = await startRedis()
    const client = new Redis(first.url, { retryStrategy: () => null, lazyConnect: true })
    await client.connect()
    await client.subscribe('a')
    const ended = once(client, 'end')
    await first.close()
    await ended
    const second = await startRedis({ port: Number(new URL(first.url).port) })
    expect(second.url).toBe(first.url)
    await second.close()
  })

  test('says so when the port is taken', async () => {
    const first = await startRedis()
    await expect(startRedis({ port: Number(new URL(first.url).port) })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await first.close()
  })

  test('subscribers come back by themselves after a restart', async () => {
    const first = await startRedis()
    const port = Number(new URL(first.url).port)
    const subscriber = new Redis(first.url, { retryStrategy: () => 20 })
    subscriber.on('error', () => {})
    const got: string[] = []
    subscriber.on('message', (_channel, message) => got.push(message))
    await subscriber.subscribe('a')
    await first.close()
    const second = await startRedis({ port })
    const publisher = new Redis(second.url)
    await vi.waitFor(async () => expect(await publisher.publish('a', 'again')).toBe(1), { timeout: 10_000 })
    await vi.waitFor(() => expect(got).toEqual(['again']))
    subscriber.disconnect()
    publisher.disconnect()
    await second.close()
  })

  const outside = Object.values(networkInterfaces())
    .flat()
    .find(address => address?.family === 'IPv4' && !address.internal)

  test.skipIf(outside === undefined)('listens on loopback only', async () => {
    const { url, close } = await startRedis()
    const [error] = await once(connect(Number(new URL(url).port), outside?.address), 'error')
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
    await close()
  })
})

function words(...all: string[]): string {
  return `*${all.length}\r\n${all.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}

function reader(socket: Socket): () => string[] {
  let text = ''
  socket.on('data', chunk => {
    text += chunk
  })
  socket.on('error', () => {})
  return () => text.split('\r\n').slice(0, -1)
}
