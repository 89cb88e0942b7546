import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { environment } from '../../actors/kernel/config/config.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/**
 * A module of ours as a process of its own runs it: from source with the loader (named by its address, whatever the child's working directory is and however
 * this process itself was started), from the build plainly. Tests have everything compiled before they begin and name the folder: a process starts there at half
 * the cost, and as `npm start` starts it.
 * @param path without extension, relative to `base` (`import.meta.url`)
 */
export const ownModule = (path: string, base: string): { readonly script: string; readonly execArgv: string[] } => {
  const script = (extension: string) => fileURLToPath(new URL(`${path}${extension}`, base))
  const compiled = environment({}).COMPILED
  if (!import.meta.url.endsWith('.ts')) return { script: script('.js'), execArgv: ['--enable-source-maps'] }
  if (compiled) return { script: join(compiled, relative(ROOT, script('.js'))), execArgv: ['--enable-source-maps'] }
  return { script: script('.ts'), execArgv: ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm')).href] }
}
