import { expect, test } from 'vitest'
import { readFlags } from './flags.ts'

const read = (...args: string[]) => readFlags(args, ['edge', 'posts'])

test('without flags data is kept and one process does everything', () => {
  expect(read()).toEqual({ port: undefined, data: '.data', processes: false, failpoints: {}, help: false })
})

test('each flag is read', () => {
  expect(
    read('--port', '8080', '--data', 'here', '--processes', '--failpoints', 'posts:after-commit=kill@3,before-ack=stall:2000'),
  ).toEqual({
    port: 8080,
    data: 'here',
    processes: true,
    failpoints: { posts: 'after-commit=kill@3,before-ack=stall:2000' },
    help: false,
  })
  expect(read('--port=0', '--ephemeral')).toMatchObject({ port: 0, data: undefined })
})

test.each([
  [['--prot', '1'], '--prot'],
  [['stray'], 'stray'],
  [['--port'], '--port'],
  [['--port', 'http'], '"http"'],
  [['--port', '65536'], '"65536"'],
  [['--port', '-1'], '--port'],
  [['--port='], '--port'],
  [['--ephemeral', '--data', 'x'], '--data'],
  [['--data='], '--data'],
  [['--failpoints', 'posts:after-commit=kill'], '--processes'],
  [['--processes', '--failpoints', 'nobody:after-commit=kill'], '"nobody:after-commit=kill"'],
  [['--processes', '--failpoints', 'posts'], '"posts"'],
])('%j is refused by name', (args, named) => {
  expect(() => read(...args)).toThrow(named)
})
