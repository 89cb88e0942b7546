import { readFile } from 'node:fs/promises'
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

test('dependencies are pinned exactly, and the lock file sends nobody to a registry of somebody’s', async () => {
  const { dependencies, devDependencies } = Package.parse(await json('package.json'))
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
    expect(version, name).toMatch(/^(npm:[^@]+@)?\d+\.\d+\.\d+$/)
  for (const lock of ['package-lock.json', 'deploy/emulators/dynamodb/amazon-local/package-lock.json'])
    expect(await text(lock), lock).not.toMatch(/"resolved"|https?:\/\/[^"]*\.tgz/)
})
