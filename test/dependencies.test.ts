import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { z } from 'zod'

const text = (path: string) => readFile(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8')
const json = async (path: string): Promise<unknown> => JSON.parse(await text(path))
const Versions = z.record(z.string(), z.string())
const Package = z.object({ dependencies: Versions, devDependencies: Versions })

/** The rows of the page: what is in backticks in the first cell, and the last cell. */
const documented = (page: string): Map<string, string> =>
  new Map(
    page.split('\n').flatMap(line => {
      const [, names = '', licence = ''] = /^\| (`.+?) \| .+ \| (.+) \|$/.exec(line) ?? []
      return [...names.matchAll(/`([^`]+)`/g)].flatMap(([, name = '']) => (name.startsWith('npm:') ? [] : [[name, licence] as const]))
    }),
  )

test('docs/dependencies.md has a sentence for every dependency, and for no other', async () => {
  const { dependencies, devDependencies } = Package.parse(await json('package.json'))
  const [run = '', development = ''] = (await text('docs/dependencies.md')).split('## For development')
  expect([...documented(run).keys()].sort()).toEqual(Object.keys(dependencies).sort())
  expect([...documented(development).keys()].sort()).toEqual(Object.keys(devDependencies).sort())
})

test('… and names its licence', async () => {
  const licences = documented(await text('docs/dependencies.md'))
  for (const [name, licence] of licences) {
    // Its package.json says ISC, the file beside it Apache-2.0, as uWebSockets itself does.
    const own =
      name === 'uWebSockets.js'
        ? 'Apache-2.0'
        : z.object({ license: z.string() }).parse(await json(`node_modules/${name}/package.json`)).license
    expect(licence, name).toContain(own)
  }
})

const Manifest = z.object({
  dependencies: Versions.optional(),
  devDependencies: Versions.optional(),
  optionalDependencies: Versions.optional(),
})
const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      integrity: z.string().optional(),
      link: z.boolean().optional(),
      inBundle: z.boolean().optional(),
    }),
  ),
})

/** Every file of that name in the repository, whichever folder makes a package of its own. */
const all = async (name: string): Promise<string[]> => {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const inFolder = async (folder: string): Promise<string[]> => {
    const entries = await readdir(join(root, folder), { withFileTypes: true })
    const found = entries.map(entry => {
      const path = join(folder, entry.name)
      if (entry.isFile()) return entry.name === name ? [path] : []
      return entry.isDirectory() && !/^(node_modules|dist|\.git|\.data|coverage)$/.test(entry.name) ? inFolder(path) : []
    })
    return (await Promise.all(found)).flat()
  }
  return inFolder('')
}
const locks = await all('package-lock.json')

test('every package of ours has a lock file', async () => {
  const manifests = await all('package.json')
  expect(locks).toContain('package-lock.json')
  expect(locks.map(lock => dirname(lock)).sort()).toEqual(manifests.map(manifest => dirname(manifest)).sort())
})

test.each(locks)('%s: dependencies are pinned exactly', async lock => {
  const { dependencies, devDependencies, optionalDependencies } = Manifest.parse(await json(join(dirname(lock), 'package.json')))
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }))
    expect(version, name).toMatch(/^(npm:@?[^@]+@)?\d+\.\d+\.\d+$/)
})

test.each(locks)('%s sends nobody to a registry of somebody’s', async lock => {
  expect(await text(lock)).not.toMatch(/"resolved"|https?:\/\/[^"]*\.tgz/)
})

test.each(locks)('%s says of every package what it must hold, of other platforms’ too', async lock => {
  const { packages } = Lock.parse(await json(lock))
  const installed = Object.entries(packages).filter(([path, { link }]) => path !== '' && !link)
  // What is bundled is within the package that bundles it, and held to its hash.
  const unheld = installed.filter(([, { integrity, inBundle }]) => !inBundle && !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''))
  expect(unheld.map(([path]) => path)).toEqual([])
  expect(installed.filter(([, { version }]) => !/^\d+\.\d+\.\d+(-[\w.]+)?(\+[\w.]+)?$/.test(version ?? '')).map(([path]) => path)).toEqual(
    [],
  )
})

test('what the witness installs is pinned with its hashes, and names no index', async () => {
  const requirements = (await text('test/witness/requirements.txt')).replaceAll('\\\n', ' ').split('\n')
  const packages = requirements.filter(line => line !== '' && !line.startsWith('#'))
  expect(packages.length).toBeGreaterThan(10)
  for (const line of packages) expect(line).toMatch(/^[\w.-]+==[\w.]+( +--hash=sha256:[0-9a-f]{64})+ *$/)
  expect(packages.some(line => line.startsWith('ministack=='))).toBe(true)
})
