import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { mesh } from '../../contracts/mesh.ts'
import { COVERAGE } from './coverage.ts'

const every = [
  ...[...mesh.commands].map(([type, { command }]) => ({ type, open: command.http !== undefined })),
  ...[...mesh.queries].map(([type, { query }]) => ({ type, open: query.http !== undefined })),
]
const where: Readonly<Record<string, string>> = COVERAGE

test.each(every)('$type is held against the model, or by a test that is named', async ({ type, open }) => {
  const by = where[type]
  expect(by, `${type} stands nowhere in actors/testing/coverage.ts`).toBeDefined()
  // What clients can send is nobody's own.
  expect(by === 'mesh').toBe(!open)
  if (by === 'mesh' || by === undefined) return
  const file = by === 'model' ? 'actors/sequences.test.ts' : by
  const text = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8')
  expect(text.includes(`'${type}'`), `${file} does not name ${type}`).toBe(true)
})

test('nothing stands there that is in the contract no more', () => {
  expect(Object.keys(COVERAGE).sort()).toEqual(every.map(({ type }) => type).sort())
})
