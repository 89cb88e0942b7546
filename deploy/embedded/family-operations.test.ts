import { expect, test } from 'vitest'
import { mergeMetrics } from './family-operations.ts'

test('a metric of several processes is described once and its samples stand together', () => {
  const of = (process: string) =>
    `# HELP a The a\n# TYPE a counter\na{process="${process}"} 1\n\n# HELP b The b\n# TYPE b gauge\nb{process="${process}"} 2\n`
  expect(mergeMetrics([of('x'), '', of('y')])).toBe(
    '# HELP a The a\n# TYPE a counter\na{process="x"} 1\na{process="y"} 1\n# HELP b The b\n# TYPE b gauge\nb{process="x"} 2\nb{process="y"} 2\n',
  )
})
