import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { findingsIn } from './clock-readings/scan.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Where wall time is right: a part of the line, and why. */
const RIGHT: readonly { readonly file: string; readonly text: string; readonly why: string }[] = [
  {
    file: 'actors/kernel/ports/backplane/redis-seats.ts',
    text: 'clock.now() + ttl',
    why: 'workers on other hosts read until when an edge is there',
  },
  {
    file: 'actors/kernel/ports/backplane/redis-seats.ts',
    text: 'clock.now() - clock.elapsed()',
    why: 'by how much the two differ shows that one was set',
  },
  { file: 'actors/kernel/ports/backplane/redis.ts', text: 'Number(here[edge]) > now', why: 'as edges on other hosts wrote it' },
  { file: 'actors/kernel/ports/jobs/bullmq-worker.ts', text: 'moveToDelayed', why: 'BullMQ keeps delays as times, for all its workers' },
  { file: 'actors/kernel/worker/handling.ts', text: 'delivery.sentAt', why: 'the queue’s stamp' },
  { file: 'actors/kernel/worker/command-replies.ts', text: 'to.until', why: 'the edge that waits wrote it' },
  { file: 'actors/push/deliver.ts', text: 'lastDeliveredAt', why: 'it is stored' },
  { file: 'actors/push/deliver.ts', text: 'expirationTime', why: 'the browser said it' },
  { file: 'actors/push/deliver.ts', text: 'job.until', why: 'a job’s end is stored with it' },
  { file: 'actors/push/handlers.ts', text: 'deadlineOf(event)', why: 'it is counted from the event’s stamp' },
  { file: 'actors/push/send/vapid.ts', text: 'known.madeAt', why: 'the token’s end is a time of the push service’s' },
  { file: 'actors/push/send/vapid.ts', text: 'exp:', why: 'the token’s end is a time of the push service’s' },
  { file: 'contracts/client/client.ts', text: 'tokens.expiresAt', why: 'callers may keep tokens over restarts' },
  { file: 'contracts/client/cognito.ts', text: 'expiresAt', why: 'callers may keep tokens over restarts' },
  { file: 'deploy/emulators/dynamodb/tokens.ts', text: 'at / REMEMBERED_MS', why: 'it is stored, and read after a restart' },
  { file: 'deploy/emulators/dynamodb/tokens.ts', text: 'at - seen.at', why: 'it was stored, perhaps before a restart' },
  {
    file: 'actors/kernel/ports/backplane/redis-seats.ts',
    text: 'from <= clock.now()',
    why: 'a gap begins at a time that devices resume from',
  },
  {
    file: 'actors/kernel/ports/backplane/redis-seats.ts',
    text: 'refreshedAt + ttl',
    why: 'until when somebody is there is told in wall time, and a gap begins there',
  },
  { file: 'actors/kernel/ports/backplane/redis-seats.ts', text: 'began >= forgotten', why: 'the same' },
  {
    file: 'deploy/emulators/cognito/attempts.ts',
    text: 'now()',
    why: 'the same reading as for codes, which are stored; a clock that is set unlocks or locks for minutes',
  },
  { file: 'deploy/emulators/cognito/challenges.ts', text: 'now()', why: 'as attempts' },
  { file: 'deploy/emulators/cognito/codes.ts', text: 'now()', why: 'a code’s end is stored, and read after a restart' },
  { file: 'deploy/emulators/dynamodb/continuous-backups.ts', text: 'RestorableDateTime', why: 'it is told as a date' },
  { file: 'deploy/emulators/sqs-sns/handles.ts', text: 'Date.now()', why: 'fauxqs stamps what it gives by the wall clock' },
  { file: 'edge/access/auth.ts', text: 'caller.until', why: 'the end of a token' },
  { file: 'edge/access/auth.ts', text: 'until <= clock.now()', why: 'the end of a token' },
  { file: 'edge/commands/envelope.ts', text: 'until: clock.now() + ', why: 'a worker on another host reads it' },
  { file: 'edge/commands/operations.ts', text: 'stored.completedAt', why: 'it is stored' },
  { file: 'edge/commands/operations.ts', text: 'known.madeAt', why: 'it lies in the operation’s id' },
  { file: 'edge/stream/resume.ts', text: 'asked <= since(now)', why: 'positions are times that any edge understands' },
  {
    file: 'edge/stream/set-backs.ts',
    text: 'ahead: clock.now() - clock.elapsed()',
    why: 'by how much the two differ shows that one was set',
  },
  { file: 'edge/stream/heartbeats.ts', text: 'connection.tokenUntil <= wall', why: 'the end of a token' },
]

/** k6 has no other clock; suites and stand-ins of tests make times that are stored. */
const LEFT_OUT = /\.test\.ts$|conformance|^load-tests\/(k6|scenarios)\/|^edge\/testing\//

const FOLDERS = ['contracts', 'actors', 'edge', 'deploy', 'load-tests']
const sources = (): readonly string[] =>
  FOLDERS.flatMap(folder =>
    readdirSync(`${ROOT}/${folder}`, { recursive: true, encoding: 'utf8' })
      .map(file => `${folder}/${file}`)
      .filter(file => file.endsWith('.ts') && !LEFT_OUT.test(file)),
  )
const isRight = ({ file, text }: { file: string; text: string }) => RIGHT.some(r => r.file === file && text.includes(r.text))

test('no duration and no deadline is made of wall time, but for those that are listed with their reason', () => {
  const files = sources()
  expect(files.length).toBeGreaterThan(100)
  const findings = files.flatMap(file => findingsIn(file, readFileSync(`${ROOT}/${file}`, 'utf8')))
  expect(findings.filter(f => !isRight(f)).map(f => `${f.file}:${f.line}: ${f.text}`)).toEqual([])
  const stale = RIGHT.filter(r => !findings.some(f => f.file === r.file && f.text.includes(r.text)))
  expect(stale).toEqual([])
})

describe('a wall reading is found', () => {
  test.each([
    ['in a difference', 'const ms = clock.now() - began'],
    ['on the other side of it', 'if (until - context.clock.now() <= 0) return'],
    ['in a deadline', 'const until = Date.now() + patience'],
    ['as the system has it', 'const left = end - +new Date()'],
    ['in a comparison', 'while (server.busy() && deadline >= now()) await pause()'],
    ['under a name', 'const since = clock.now()\nawait work()\nlog.info({ ms: at - since })'],
    ['under a name that gets it later', 'let last = 0\nlast = Date.now()\nif (last + WINDOW_MS < other) return'],
    ['under an optional clock', 'const over = clock?.now() > until'],
  ])('%s', (_, source) => {
    expect(findingsIn('planted.ts', source).length).toBe(1)
  })
})

describe('what is none is let alone', () => {
  test.each([
    ['the reading that nobody sets', 'const until = clock.elapsed() + 5_000'],
    ['that of the platform', 'const until = performance.now() + 5_000'],
    ['a stamp', 'const at = new Date(clock.now()).toISOString()'],
    ['a stamp that is handed on', 'const now = clock.now()\nreturn claimItem(name, now)'],
    ['a function that reads', 'const read = () => clock.now()'],
    ['a comment', '// takes clock.now() - began'],
    ['a property of the same name', 'const now = clock.now()\nif (other.now > 3) return'],
  ])('%s', (_, source) => {
    expect(findingsIn('fine.ts', source)).toEqual([])
  })
})
