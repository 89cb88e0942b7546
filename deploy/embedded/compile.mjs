import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, stop } from 'esbuild'

/*
 * Strips the types of our modules into a cache, from where `npm start` runs them, and the tests the processes that they start. A loader that does it on the way
 * (tsx) has a thread of its own and is asked for each of the thousand modules that the engines and SDKs are made of, in each process: that is more than half of
 * a start.
 */
const root = fileURLToPath(new URL('../../', import.meta.url))
export const cache = join(root, 'node_modules/.cache/dailygrind')
/** What a mesh is made of. */
export const SOURCES = ['contracts', 'actors', 'edge', 'deploy']

/** Imports stay as they are, but for the extension. */
const unbundled = {
  name: 'unbundled',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ kind, path }) =>
      kind === 'entry-point' ? undefined : { path: path.replace(/\.ts$/, '.js'), external: true },
    ),
}

const sourcesIn = async folder => {
  const found = (await readdir(folder, { withFileTypes: true })).map(async entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : sourcesIn(path)
    return /(?<!\.(test|d))\.ts$/.test(entry.name) ? [path] : []
  })
  return (await Promise.all(found)).flat()
}

/** Another start may be reading: what is the same stays, and what is not is replaced at once. */
const put = async ({ path, contents }) => {
  const kept = await readFile(path).catch(() => undefined)
  if (kept?.equals(contents)) return
  await mkdir(dirname(path), { recursive: true })
  const fresh = `${path}.${randomUUID()}`
  await writeFile(fresh, contents)
  await rename(fresh, path)
}

/** Of errors in the sources esbuild says where they are, and they are in `errors` of what is thrown. */
export const compile = async sources => {
  const folders = await Promise.all(sources.map(folder => sourcesIn(join(root, folder))))
  const { outputFiles } = await build({
    entryPoints: folders.flat(),
    outdir: cache,
    outbase: root,
    bundle: true,
    packages: 'external',
    plugins: [unbundled],
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    sourcesContent: false,
    logLevel: 'error',
    write: false,
  })
  // Its service would stay as a child.
  await Promise.all([stop(), ...outputFiles.map(put)])
}
