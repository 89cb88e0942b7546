import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { Limits } from '../contracts/limits.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const read = (path: string) => readFile(join(root, path), 'utf8')
const inDocs = (await readdir(join(root, 'docs'), { recursive: true })).map(path => join('docs', path))
const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...inDocs].filter(path => path.endsWith('.md'))
const found = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].flatMap(([, part]) => part ?? [])

/** As GitHub makes them of headings. */
const anchors = (text: string) =>
  found(text, /^#+ (.+)$/gm).map(heading =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )

test.each(pages)('%s leads to what is there', async page => {
  const text = await read(page)
  for (const link of found(text, /\]\(([^)\s]+)\)/g).filter(to => !/^https?:/.test(to))) {
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? join(root, page) : resolve(root, dirname(page), path)
    expect(existsSync(target), `${page} links to ${link}`).toBe(true)
    if (anchor !== undefined) expect(anchors(await readFile(target, 'utf8')), `${page} links to ${link}`).toContain(anchor)
  }
  for (const path of found(text, /`((?:actors|contracts|deploy|docs|edge|load-tests|test)\/[\w./-]+)`/g))
    expect(existsSync(join(root, path)), `${page} speaks of ${path}`).toBe(true)
})

test.each(pages)('%s names scripts that there are', async page => {
  const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(await read('package.json')))
  const named = found(await read(page), /npm run (?:--silent )?([\w:]+)/g)
  expect(named.filter(name => !(name in scripts))).toEqual([])
})

/** What a unified diff wants to find: file, first line (it may have moved, as for `git apply`), text as it is before. */
const wanted = (diff: string) =>
  diff.split(/^--- a\//m).flatMap(part => {
    const [path = ''] = part.split('\n')
    return [...part.matchAll(/^@@ -(\d+).*@@.*\n((?:[ +-].*\n|\n)+)/gm)].map(([, line = '', hunk = '']) => ({
      path,
      line,
      before: hunk
        .trimEnd()
        .split('\n')
        .flatMap(l => (l.startsWith('+') ? [] : l.slice(1)))
        .join('\n'),
    }))
  })

test('the diffs of docs/add-a-command.md apply to the code as it is', async () => {
  const hunks = found(await read('docs/add-a-command.md'), /^```diff\n((?:.*\n)*?)```$/gm).flatMap(wanted)
  expect(hunks.length).toBeGreaterThan(9)
  for (const { path, line, before } of hunks) expect((await read(path)).includes(before), `${path}, about line ${line}`).toBe(true)
})

test('docs/limits.md names every limit of the configuration that a person, an address or a key can meet at the edge', async () => {
  const text = await read('docs/limits.md')
  const elsewhere = ['countedAt', 'longestWaitSeconds', 'pageItems', 'friends', 'incoming', 'outgoing', 'blocks']
  const named = Object.keys(Limits.shape).filter(name => !elsewhere.includes(name))
  expect(named.filter(name => !text.includes(`\`${name}\``))).toEqual([])
})
