import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { meet } from './client.ts'
import { SignInError } from './cognito.ts'
import { ProblemError } from './http.ts'
import { requestOf } from './request.ts'
import type { StreamEvent } from './stream.ts'

/** A scripted server in the place of the mesh: it misbehaves on demand and records what it was asked. */
type Asked = { method: string; url: string; headers: IncomingMessage['headers']; body: string }
type Script = (asked: Asked, response: ServerResponse, nth: number) => void

const token = (sub: string) => `e30.${Buffer.from(JSON.stringify({ sub })).toString('base64url')}.x`
const ANA = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff'
const PERSON = { id: ANA, firstName: 'Ana', lastName: 'Silva', avatar: null }
const POST_ID = `${ANA}.20260102.000001`

let asked: Asked[] = []
let script: Script
let tokensGiven = 0
const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body === undefined ? undefined : JSON.stringify(body))
const address = (): string => {
  const bound = server.address()
  if (typeof bound !== 'object' || bound === null) throw new Error('the scripted server does not listen')
  return `http://127.0.0.1:${bound.port}`
}
const server = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  const url = request.url ?? ''
  const base = address()
  if (url === '/v1/config')
    return json(response, 200, {
      auth: { region: 'r', userPoolId: 'p', clientId: 'c', endpoint: `${base}/pool` },
      stream: `${base.replace('http', 'ws')}/v1/stream`,
      limits: {},
    })
  if (url === '/pool') {
    const action = String(request.headers['x-amz-target']).split('.')[1]
    if (action === 'SignUp') return json(response, 400, { __type: 'UsernameExistsException', message: 'there already' })
    tokensGiven += 1
    return json(response, 200, { AuthenticationResult: { AccessToken: token(ANA), IdToken: 'i', RefreshToken: 'r', ExpiresIn: 3600 } })
  }
  const question: Asked = { method: request.method ?? '', url, headers: request.headers, body }
  script(question, response, asked.push(question))
})
const sockets = new WebSocketServer({ server, handleProtocols: () => 'dailygrind.v1' })

beforeEach(async () => {
  asked = []
  tokensGiven = 0
  script = (_, response) => json(response, 200, { liked: true, likeCount: 1 })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  sockets.removeAllListeners('connection')
  for (const socket of sockets.clients) socket.terminate()
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
})
const mesh = () => meet(address())
const ana = async () => (await mesh()).signIn({ email: 'a@example.org', password: 'x' })

describe('a request of the contract', () => {
  test('puts fields where the route has them', () => {
    expect(requestOf('comment.edit', { postId: 'p/1', commentId: 'c', content: 'hi' })).toEqual({
      method: 'PATCH',
      path: '/v1/posts/p%2F1/comments/c',
      body: '{"content":"hi"}',
      contentType: 'application/merge-patch+json',
      writes: true,
    })
    expect(requestOf('timeline.get', { include: 'self', limit: 5, cursor: undefined })).toEqual({
      method: 'GET',
      path: '/v1/timeline?include=self&limit=5',
      writes: false,
    })
    expect(requestOf('post.like', { postId: 'p' })).toEqual({ method: 'PUT', path: '/v1/posts/p/like', writes: true })
  })
  test('says what is missing', () => {
    expect(() => requestOf('post.like', {})).toThrow('post.like needs postId')
    expect(() => requestOf('post.sweep', { postId: 'p' })).toThrow('post.sweep is nothing that a client can send')
  })
})

test('where no mesh is, the address is named', async () => {
  await expect(meet('http://127.0.0.1:1')).rejects.toThrow('no mesh answers at http://127.0.0.1:1')
})

describe('sending', () => {
  test('goes on under one key over a lost connection and a 503', async () => {
    script = (_, response, nth) => {
      if (nth === 1) response.destroy()
      else if (nth === 2) json(response, 503, {}, { 'retry-after': '0' })
      else json(response, 200, { liked: true, likeCount: 3 })
    }
    await expect((await ana()).send('post.like', { postId: POST_ID })).resolves.toEqual({ liked: true, likeCount: 3 })
    const keys = asked.map(a => a.headers['idempotency-key'])
    expect(keys).toHaveLength(3)
    expect(new Set(keys).size).toBe(1)
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/)
    expect(asked[0]?.headers.authorization).toBe(`Bearer ${token(ANA)}`)
  })

  test('follows a 202 to the operation’s end', async () => {
    const pending = { id: 'o', status: 'pending', result: null, problem: null }
    script = ({ method }, response, nth) => {
      if (method === 'PUT') json(response, 202, pending, { location: '/v1/operations/o' })
      else json(response, 200, nth < 4 ? pending : { ...pending, status: 'done', result: { liked: true, likeCount: 9 } })
    }
    await expect((await ana()).send('post.like', { postId: POST_ID })).resolves.toEqual({ liked: true, likeCount: 9 })
    expect(asked.map(a => a.url)).toEqual([`/v1/posts/${POST_ID}/like`, ...Array(3).fill('/v1/operations/o')])
  })

  test('throws the problem, of an answer and of an operation', async () => {
    const problem = { type: '/docs/problems/not-found', title: 'None', status: 404, code: 'not-found', detail: 'No such post' }
    script = (_, response) => json(response, 404, problem)
    const said = await (await ana()).send('post.like', { postId: POST_ID }).catch((error: unknown) => error)
    expect(said).toBeInstanceOf(ProblemError)
    expect(said).toMatchObject({ status: 404, code: 'not-found', message: 'post.like: 404 not-found: No such post' })
    script = ({ method }, response) =>
      method === 'PUT'
        ? json(response, 202, { id: 'o', status: 'pending', result: null, problem: null }, { location: '/v1/operations/o' })
        : json(response, 200, { id: 'o', status: 'failed', result: null, problem })
    await expect((await ana()).send('post.like', { postId: POST_ID })).rejects.toMatchObject({ code: 'not-found' })
  })

  test('takes a new token once when the old one is refused', async () => {
    script = (_, response) => json(response, 401, { type: 't', title: 'no', status: 401, code: 'invalid-token' })
    await expect((await ana()).send('post.like', { postId: POST_ID })).rejects.toMatchObject({ status: 401 })
    expect(tokensGiven).toBe(2)
    expect(asked).toHaveLength(2)
  })

  test('says so when the mesh answers what the contract does not know', async () => {
    script = (_, response) => json(response, 200, { liked: 'yes' })
    await expect((await ana()).send('post.like', { postId: POST_ID })).rejects.toThrow('post.like with what the contract does not know')
  })

  test('tells what the pool refuses', async () => {
    const said = await (await mesh()).signUp({ email: 'a@example.org', password: 'x' }).catch((error: unknown) => error)
    expect(said).toBeInstanceOf(SignInError)
    expect(said).toMatchObject({ kind: 'UsernameExistsException' })
  })
})

test('each item of a list comes page after page', async () => {
  script = ({ url }, response) =>
    json(response, 200, url.includes('cursor=2') ? { items: [PERSON], next: null } : { items: [PERSON, PERSON], next: '2' })
  const names: string[] = []
  for await (const friend of (await ana()).each('friend.list', { userId: ANA, limit: 2 })) names.push(friend.firstName)
  expect(names).toEqual(['Ana', 'Ana', 'Ana'])
  expect(asked.map(a => a.url)).toEqual([`/v1/users/${ANA}/friends?limit=2`, `/v1/users/${ANA}/friends?limit=2&cursor=2`])
})

describe('the stream', () => {
  const hello = (position: string) => JSON.stringify({ op: 'hello', connection: 'c', position, heartbeatMs: 30_000 })
  const event = (id: string, position: string) =>
    JSON.stringify({ op: 'event', id, type: 'user.updated', at: '2026-01-02T10:00:00.000Z', position, data: { user: PERSON } })

  test('reconnects, resumes where it was, hears each event once, and sends again what had no answer', async () => {
    const frames: unknown[][] = []
    sockets.on('connection', (socket, request) => {
      const nth = frames.push([]) - 1
      expect(request.headers['sec-websocket-protocol']).toBe(`dailygrind.v1,bearer.${token(ANA)}`)
      socket.send(hello(`start-${nth}`))
      socket.send(event('e1', 'after-e1'))
      socket.on('message', text => {
        const frame = JSON.parse(String(text))
        frames[nth]?.push(frame)
        if (nth === 0) return socket.terminate()
        if (frame.op === 'resume') socket.send(JSON.stringify({ op: 'reset' }))
        if (frame.op === 'send')
          socket.send(JSON.stringify({ op: 'reply', id: frame.id, status: 200, body: { liked: true, likeCount: 1 } }))
        socket.send(event('e2', 'after-e2'))
      })
    })
    const heard: StreamEvent[] = []
    let resets = 0
    const onReset = () => {
      resets += 1
    }
    const stream = (await ana()).stream({ WebSocket, onEvent: e => heard.push(e), onReset })
    await stream.ready
    await expect(stream.send('post.like', { postId: POST_ID }, 'like-1')).resolves.toEqual({
      status: 200,
      body: { liked: true, likeCount: 1 },
    })
    const like = { op: 'send', id: 'like-1', type: 'post.like', data: { postId: POST_ID } }
    expect(frames).toEqual([[like], [{ op: 'resume', position: 'after-e1' }, like]])
    await vi.waitFor(() => expect(heard.map(e => e.id)).toEqual(['e1', 'e2']))
    expect(resets).toBe(1)
    stream.close()
  })

  test('resumes where it is told that a gap begins, although it heard later things', async () => {
    const resumed: unknown[] = []
    sockets.on('connection', socket => {
      socket.send(hello('start'))
      socket.on('message', text => {
        resumed.push(JSON.parse(String(text)))
        // It is lost before the answer: the gap is as old as it was.
        if (resumed.length === 1) socket.terminate()
      })
      if (resumed.length > 0) return
      socket.send(event('e1', 'after-e1'))
      socket.send(JSON.stringify({ op: 'lagged', position: 'gap' }))
    })
    const stream = (await ana()).stream({ WebSocket, onEvent: () => undefined })
    await vi.waitFor(() => expect(resumed).toHaveLength(2), 5_000)
    expect(resumed).toEqual(Array(2).fill({ op: 'resume', position: 'gap' }))
    stream.close()
  })

  test('gives up a socket that says nothing for another, over which it says what was asked for meanwhile', async () => {
    const said: unknown[] = []
    let connections = 0
    sockets.on('connection', socket => {
      connections += 1
      if (connections === 1) return
      socket.send(hello('here'))
      socket.on('message', text => {
        const frame = JSON.parse(String(text))
        said.push(frame.id)
        socket.send(JSON.stringify({ op: 'reply', id: frame.id, status: 200, body: {} }))
      })
    })
    const states: [string, number][] = []
    const stream = (await ana()).stream({
      WebSocket,
      helloMs: 200,
      onEvent: () => undefined,
      onConnection: (state, code) => states.push([state, code]),
    })
    const early = stream.send('post.like', { postId: POST_ID }, 'before-any-socket')
    await vi.waitFor(() => expect(connections).toBe(1))
    const later = stream.send('post.like', { postId: POST_ID }, 'before-hello')
    await stream.ready
    expect(await Promise.all([early, later])).toEqual([
      { status: 200, body: {} },
      { status: 200, body: {} },
    ])
    expect(said).toEqual(['before-any-socket', 'before-hello'])
    expect(states).toEqual([
      ['lost', 1006],
      ['open', 0],
    ])
    stream.close()
  })

  test('comes back when it was asked to by a server that goes away, although it is gone before', async () => {
    const came: number[] = []
    sockets.on('connection', socket => {
      came.push(performance.now())
      socket.send(hello('here'))
      if (came.length > 1) return
      socket.send(JSON.stringify({ op: 'drain', afterMs: 700, position: 'here' }))
      socket.close(1012)
    })
    const stream = (await ana()).stream({ WebSocket, onEvent: () => undefined })
    await vi.waitFor(() => expect(came).toHaveLength(2), 5_000)
    expect((came[1] ?? 0) - (came[0] ?? 0)).toBeGreaterThanOrEqual(690)
    stream.close()
  })

  test('comes back ever later to a server that lets it in and throws it out', async () => {
    const came: number[] = []
    sockets.on('connection', socket => {
      came.push(performance.now())
      socket.send(hello('here'))
      socket.close(4429)
    })
    const random = vi.spyOn(Math, 'random').mockReturnValue(1)
    const stream = (await ana()).stream({ WebSocket, onEvent: () => undefined })
    await vi.waitFor(() => expect(came).toHaveLength(4), 5_000)
    stream.close()
    random.mockRestore()
    const pauses = came.slice(1).map((at, i) => at - (came[i] ?? 0))
    expect(pauses.map((ms, i) => ms >= 100 * 2 ** (i + 1) - 10)).toEqual([true, true, true])
  })

  test('takes a new token after 4401, and gives up after 4403', async () => {
    let connections = 0
    sockets.on('connection', socket => {
      connections += 1
      socket.close(connections === 1 ? 4401 : 4403)
    })
    const stream = (await ana()).stream({ WebSocket, onEvent: () => undefined })
    await expect(stream.ready).rejects.toThrow('4403')
    expect(connections).toBe(2)
    expect(tokensGiven).toBe(2)
    await expect(stream.send('post.like', { postId: POST_ID })).rejects.toThrow('closed')
  })
})
