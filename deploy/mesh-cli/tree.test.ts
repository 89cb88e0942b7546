import { expect, test } from 'vitest'
import type { Span } from '../../actors/kernel/ports/tracing/span.ts'
import { causation, drawn } from './tree.ts'

const span = (id: string, cause: string | null, actor: string, what: string, at: number, engine: Span['engine'] = []): Span => ({
  request: 'r',
  id,
  cause,
  actor,
  what,
  at,
  ms: 2,
  engine,
  outcome: 'done',
})

test('spans hang below what caused them, each once, and all are shown', () => {
  const spans = [
    span('m.0', 'm', 'timelines', 'hears post.published', 30),
    span('m.0', 'm', 'posts', 'hears post.published', 31),
    span('m.0', 'm.0', 'posts', 'post.sweep', 40),
    span('m', 'r', 'posts', 'post.publish', 10, [
      { kind: 'dynamodb:BatchGetItem', ms: 1 },
      { kind: 'dynamodb:BatchGetItem', ms: 2 },
    ]),
    span('r', null, 'edge', 'post.publish', 5),
    span('lost', 'nowhere', 'posts', 'post.edit', 50),
  ]
  expect(drawn(causation(spans))).toEqual([
    'edge  post.publish                              +0.0 ms, took 2.0 ms, done',
    '└─ posts  post.publish                          +5.0 ms, took 2.0 ms, done',
    '   │     dynamodb:BatchGetItem ×2 3.0 ms',
    '   ├─ timelines  hears post.published           +25.0 ms, took 2.0 ms, done',
    '   └─ posts  hears post.published               +26.0 ms, took 2.0 ms, done',
    '      └─ posts  post.sweep                      +35.0 ms, took 2.0 ms, done',
    'posts  post.edit                                +45.0 ms, took 2.0 ms, done',
  ])
})
