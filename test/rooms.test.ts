import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/*
 * Folders are rooms, and imports run one way between them, those of types too: the linter holds who may import whom, this holds that nobody's imports lead
 * back to them.
 */
const root = fileURLToPath(new URL('../', import.meta.url))
const TREES = ['contracts', 'actors', 'edge', 'deploy', 'load-tests', 'test']
/** Tests and their stages look into every room. */
const isStage = (file: string) =>
  /\.test\.ts$|\.fixture\.ts$|\.cases\.ts$|\.witness\.ts$|\/testing\/|\/conformance[a-z-]*(\.ts$|\/)/.test(file)
const isSource = (file: string) => /\.(ts|mjs)$/.test(file) && !file.includes('node_modules/') && !isStage(file)

/** The modules of the repository that a file names, wherever in it: `import`, `import type`, `export … from`, `import()`. */
const importsOf = (file: string, text: string): string[] =>
  [...text.matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\(\s*)'(\.{1,2}\/[^']+)'/g)].map(([, to = '']) =>
    posix.normalize(posix.join(posix.dirname(file), to)),
  )

const sources = async (): Promise<ReadonlyMap<string, string>> => {
  const names = (
    await Promise.all(TREES.map(async tree => (await readdir(join(root, tree), { recursive: true })).map(f => `${tree}/${f}`)))
  )
    .flat()
    .filter(isSource)
  return new Map(await Promise.all(names.map(async name => [name, await readFile(join(root, name), 'utf8')] as const)))
}

type Graph = ReadonlyMap<string, ReadonlySet<string>>
const graph = (files: ReadonlyMap<string, string>, place: (file: string) => string): Graph => {
  const arrows = new Map<string, Set<string>>()
  for (const [file, text] of files)
    for (const to of importsOf(file, text)) {
      if (!files.has(to) || place(file) === place(to)) continue
      arrows.set(place(file), (arrows.get(place(file)) ?? new Set()).add(place(to)))
    }
  return arrows
}

/** A way that leads back to where it began; undefined where there is none. */
const circle = (arrows: Graph): string[] | undefined => {
  const done = new Set<string>()
  const walk = (at: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(at)) return [...way.slice(way.indexOf(at)), at]
    if (done.has(at)) return undefined
    for (const next of arrows.get(at) ?? []) {
      const found = walk(next, [...way, at])
      if (found) return found
    }
    done.add(at)
    return undefined
  }
  for (const start of arrows.keys()) {
    const found = walk(start, [])
    if (found) return found
  }
  return undefined
}

test('a circle is found', () => {
  const files = new Map([
    ['a/x.ts', "import type { Y } from '../b/y.ts'"],
    ['b/y.ts', "import { z } from '../c/z.ts'"],
    ['c/z.ts', "export const later = () => import('../a/x.ts')"],
  ])
  expect(circle(graph(files, dirname))).toEqual(['a', 'b', 'c', 'a'])
  files.set('c/z.ts', '')
  expect(circle(graph(files, dirname))).toBeUndefined()
})

test.each([
  ['files', (file: string) => file],
  ['folders', dirname],
])('no circle of %s', async (_, place) => {
  const files = await sources()
  expect(files.size).toBeGreaterThan(300)
  expect(circle(graph(files, place))).toBeUndefined()
})
