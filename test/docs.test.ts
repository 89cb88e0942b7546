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

test.each(pages)('%s calls files by their names', async page => {
  for (const [, name = '', to = ''] of (await read(page)).matchAll(/\[`([\w./-]+\.ts)`\]\(([^)#\s]+)/g))
    expect(to.endsWith(`/${name}`) || to === name, `${page} calls ${to} ${name}`).toBe(true)
})

test('the code of docs/add-an-actor.md is that of the counter', async () => {
  const fences = [...(await read('docs/add-an-actor.md')).matchAll(/^`([\w./-]+)`\n\n```ts\n((?:.*\n)*?)```$/gm)]
  expect(fences.length).toBeGreaterThan(6)
  for (const [, path = '', code = ''] of fences) expect(await read(path), path).toContain(code)
})

/** The rows of a table, cell by cell; its head left out. */
const rowsOf = (text: string, head: string): string[][] => {
  const [, body = ''] = text.split(`${head}\n`)
  const lines = body.split('\n').slice(1)
  const end = lines.findIndex(line => !line.startsWith('|'))
  return lines.slice(0, end === -1 ? undefined : end).map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
}
const linkedTo = (cell: string) => found(cell, /\]\(([^)]+)\)/g)[0] ?? ''

test('each word of the glossary is exported by its file', async () => {
  const rows = rowsOf(await read('ARCHITECTURE.md'), '| Word | Meaning | Export | File |')
  expect(rows.length).toBeGreaterThan(15)
  expect(rows.length).toBeLessThanOrEqual(25)
  for (const [word = '', , exported = '', file = ''] of rows)
    expect(await read(linkedTo(file)), word).toMatch(new RegExp(`^export (const|type|class) ${exported.replaceAll('`', '')}\\b`, 'm'))
})

test('each fault of docs/faults.md has its test', async () => {
  const rows = rowsOf(await read('docs/faults.md'), '| Fault | Promise | File | Test |')
  expect(rows.length).toBeGreaterThan(25)
  for (const [fault = '', , file = '', name = ''] of rows) expect(await read(join('docs', linkedTo(file))), fault).toContain(name)
})
