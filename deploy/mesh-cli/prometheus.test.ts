import { expect, test } from 'vitest'
import { grown, parseMetrics, pick, quantile, sum } from './prometheus.ts'

test('samples are read with their labels, whatever these hold; the rest is left out', () => {
  const text = [
    '# HELP answered_total Requests answered',
    '# TYPE answered_total counter',
    'answered_total{route="GET /v1/posts/{postId}",status="200"} 7',
    'escaped{text="a \\"b\\" \\\\ c\\nd",} 1.5e3 1700000000000',
    'plain 3',
    'edge{le="+Inf"} +Inf',
    'no number here at all',
    '',
  ].join('\n')
  expect(parseMetrics(text, 'a')).toEqual([
    { name: 'answered_total', labels: { route: 'GET /v1/posts/{postId}', status: '200' }, value: 7, from: 'a' },
    { name: 'escaped', labels: { text: 'a "b" \\ c\nd' }, value: 1500, from: 'a' },
    { name: 'plain', labels: {}, value: 3, from: 'a' },
    { name: 'edge', labels: { le: '+Inf' }, value: Number.POSITIVE_INFINITY, from: 'a' },
  ])
})

test('counters grow since they were looked at, each process for itself, and anew after a restart', () => {
  const before = [...parseMetrics('sent{actor="posts"} 10\nsent{actor="users"} 5', 'a'), ...parseMetrics('sent{actor="posts"} 100', 'b')]
  const after = [
    ...parseMetrics('sent{actor="posts"} 12\nsent{actor="users"} 2\nsent{actor="push"} 1', 'a'),
    ...parseMetrics('sent{actor="posts"} 101', 'b'),
  ]
  const since = grown(before, after)
  expect(sum(pick(since, 'sent', { actor: 'posts' }))).toBe(3)
  // 5 became 2: its process began anew and counted two.
  expect(sum(pick(since, 'sent', { actor: 'users' }))).toBe(2)
  expect(sum(pick(since, 'sent'))).toBe(6)
})

test('a quantile lies within its bucket; beyond the last one nothing more is known', () => {
  const buckets = (...counts: [string, number][]) => counts.map(([le, value]) => ({ name: 'b', labels: { le }, value, from: '' }))
  expect(quantile(0.95, buckets(['0.1', 0], ['0.2', 100], ['+Inf', 100]))).toBeCloseTo(0.195)
  expect(quantile(0.5, [...buckets(['1', 10], ['+Inf', 10]), ...buckets(['1', 0], ['+Inf', 30])])).toBe(1)
  expect(quantile(0.95, buckets(['1', 0], ['+Inf', 0]))).toBeUndefined()
  expect(quantile(0.95, [])).toBeUndefined()
})
