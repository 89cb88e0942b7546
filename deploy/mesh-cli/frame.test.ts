import { expect, test } from 'vitest'
import { frame, lineOf } from './frame.ts'
import { heldIn, partsOf } from './operations.ts'
import { parseMetrics } from './prometheus.ts'
import type { QueueDepth, Sample } from './sample.ts'
import { statusLines } from './status.ts'
import { view } from './view.ts'

const AT = Date.parse('2026-11-20T09:00:00.000Z')

/** As the operations server of a mesh of several processes wrote it. */
const metrics = (n: number, restarted = false) =>
  parseMetrics(
    `
dailygrind_edge_requests_total{route="POST /v1/posts",status="201",process="edge"} ${10 * n}
dailygrind_edge_requests_total{route="GET /v1/timeline",status="200",process="edge"} ${20 * n}
dailygrind_edge_requests_total{route="GET /v1/timeline",status="401",process="edge"} ${n}
dailygrind_edge_sockets{process="edge"} 12
dailygrind_edge_commands_under_way{process="edge"} 3
dailygrind_edge_oldest_unanswered_seconds{process="edge"} 0.25
dailygrind_edge_frames_total{frame="told",process="edge"} ${4 * n}
dailygrind_messages_sent_total{actor="posts",type="post.publish",process="edge"} ${10 * n}
dailygrind_messages_handled_total{actor="posts",type="post.publish",outcome="done",process="posts"} ${restarted ? 0 : 8 * n}
dailygrind_messages_handled_total{actor="posts",type="post.publish",outcome="repeated",process="posts"} ${restarted ? 0 : n}
dailygrind_messages_handled_total{actor="users",type="user.register",outcome="done",process="users"} 5
dailygrind_messages_dead_total{queue="posts.fifo",reason="rule-failed",process="posts"} 1
dailygrind_messages_dead_total{queue="posts-events",reason="unreadable",process="posts"} 5
dailygrind_polling_paused{queue="posts.fifo",process="posts"} 1
dailygrind_receive_lag_seconds_sum{queue="posts.fifo",process="posts"} ${0.5 * n}
dailygrind_receive_lag_seconds_count{queue="posts.fifo",process="posts"} ${10 * n}
dailygrind_turn_seconds_bucket{le="0.01",actor="posts",process="posts"} 0
dailygrind_turn_seconds_bucket{le="0.02",actor="posts",process="posts"} ${10 * n}
dailygrind_turn_seconds_bucket{le="+Inf",actor="posts",process="posts"} ${10 * n}
dailygrind_turn_seconds_count{actor="posts",process="posts"} ${10 * n}
dailygrind_events_published_total{actor="posts",process="posts"} ${6 * n}
dailygrind_events_heard_total{actor="timelines",type="post.published",process="timelines"} ${5 * n}
dailygrind_jobs_tried_total{queue="push",outcome="done",process="push"} ${2 * n}
process_cpu_seconds_total{process="posts"} ${0.5 * n}
process_resident_memory_bytes{process="posts"} 148000000
`,
    'http://127.0.0.1:1',
  )
const queue = (name: string, waiting: number, dead: number): QueueDepth => ({ queue: name, depth: { waiting, inFlight: 1 }, dead })
const sampled = (n: number, more: Partial<Sample> = {}): Sample => ({
  at: AT + 2_000 * n,
  queues: [queue('posts.fifo', 4, 2), queue('posts-events', 0, 0)],
  told: {
    metrics: metrics(n),
    parts: partsOf('host', { ok: false, parts: { posts: { ok: true, health: { ok: true, queues: [] } }, edge: { ok: false } } }),
    held: [
      { queue: 'posts.fifo', held: 2 },
      { queue: 'posts-events', held: 0 },
    ],
    silent: [],
  },
  processes: [
    { name: 'posts', pid: 11, restarts: 3 },
    { name: 'edge', pid: 12, restarts: 0 },
  ],
  ...more,
})
const texts = (size = { columns: 80, rows: 24 }, now = view(sampled(1), sampled(2))) =>
  frame('the mesh in .data', now, size).map(l => l.text)

test('a frame of 80 by 24', () => {
  expect(texts()).toEqual([
    'the mesh in .data                                            09:00:04Z  q leaves',
    'requests/s 15.5  2xx 15.0  4xx 0.5   under way 3, oldest 250 ms',
    'turns/s 5.0  p95 20 ms   events/s 3.0 published, 2.5 heard',
    'sockets 12  frames/s 2.0   push done/s 1.0',
    '',
    'QUEUE         WAITING  IN FLIGHT  HELD    LAG  SETTLED/S  DEAD',
    'posts.fifo          4          1     2  50 ms        4.5     2',
    'posts-events        0          1     0      -        0.0     0',
    '',
    'PROCESS  PID  READY  RESTARTS   CPU  MEMORY',
    'posts     11  yes           3  25 %  148 MB',
    'edge      12  NO            0',
    '',
    '! posts.fifo has 2 dead letters: npm run mesh -- dead posts.fifo',
    "! posts.fifo: polling pauses, for an engine fails: see its worker's log",
    '! edge: it is not ready, and does not say why',
  ])
})

test.each([
  [80, 24],
  [40, 10],
  [20, 5],
  [200, 60],
])('it never leaves %d by %d, and says what is wrong before all', (columns, rows) => {
  const lines = texts({ columns, rows })
  expect(lines.length).toBeLessThanOrEqual(rows)
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns)
  if (rows >= 10) expect(lines.some(l => l.startsWith('! posts.fifo'))).toBe(true)
})

test('the same as a line', () => {
  expect(lineOf(view(sampled(1), sampled(2)))).toMatch(
    /^09:00:04Z requests=15\.5 turns=5\.0 p95=20ms events=3\.0 sockets=12 waiting=4 inflight=2 dead=2 ! posts\.fifo has 2 dead letters/,
  )
})

test('a mesh that ended, queues that cannot be asked and servers that are silent are wrong, not zero', () => {
  const away = sampled(2, {
    queues: [{ queue: 'posts.fifo', depth: 'connect ECONNREFUSED', dead: 'connect ECONNREFUSED' }],
    told: { metrics: [], parts: [], held: [], silent: ['http://127.0.0.1:1 does not answer: refused'] },
    processes: undefined,
  })
  const lines = texts(undefined, view(sampled(1), away))
  expect(lines).toContain('posts.fifo        ?          ?          -                ?')
  expect(lines).toEqual(
    expect.arrayContaining([
      '! the mesh has ended: start it again with npm start',
      '! http://127.0.0.1:1 does not answer: refused',
      '! posts.fifo: connect ECONNREFUSED',
      '! posts-dead.fifo: connect ECONNREFUSED',
    ]),
  )
})

test('what is held is read from health documents of a process, of a family, of all in one', () => {
  const queues = [{ queue: 'posts.fifo', ok: true, error: null, held: 3 }]
  for (const document of [
    { ok: true, queues },
    { ok: true, parts: { posts: { ok: true, queues } } },
    { parts: { posts: { health: { queues } } } },
  ])
    expect(heldIn(document)).toEqual([{ queue: 'posts.fifo', held: 3 }])
})

test('messages that wait and are not taken say so', () => {
  const idle = (inFlight: number) => (n: number) =>
    sampled(n, { queues: [{ queue: 'users.fifo', depth: { waiting: 7, inFlight }, dead: 0 }] })
  const said = (at: (n: number) => Sample) => texts(undefined, view(at(1), at(2)))
  expect(said(idle(0))).toContain('! users.fifo: 7 messages waiting and none is taken: does its worker run?')
  expect(said(idle(1))).toContain('! users.fifo: 7 messages waiting behind 1 in flight: has a rule thrown?')
})

test('status adds engines and the ledger', () => {
  const { lines, ok } = statusLines(
    'the mesh',
    view(sampled(1), sampled(2)),
    { 'table posts': 'ok', backplane: { down: 'Redis at 127.0.0.1:9: refused' } },
    true,
  )
  expect(ok).toBe(false)
  expect(lines).toContain('Engines: table posts ok, backplane DOWN')
  expect(lines.join('\n')).toContain(
    '20 sent, 0 redriven, 16 done, 1 dead, so 3 under way, and 5 done that came from outside, as sign-ups do; counters began anew',
  )
  expect(lines.join('\n')).toContain('4 things are wrong:')
  expect(lines).toContain('  backplane: Redis at 127.0.0.1:9: refused')
  expect(lines).toContain('  (posts was started again 3 times)')
  const unasked = statusLines('the mesh', view(sampled(1), sampled(2)), { backplane: { unknown: 'REDIS_URL is not set' } }, false).lines
  expect(unasked).toContain('Engines: backplane not known (REDIS_URL is not set)')
  expect(unasked.join('\n')).toContain('name their operations servers with --operations URL')
})
