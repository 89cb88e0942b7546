import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/**
 * A module of ours as a process of its own runs it: from source with the loader (named by its address, whatever the child's working directory is and however
 * this process itself was started), from the build plainly.
 * @param path without extension, relative to `base` (`import.meta.url`)
 */
export const ownModule = (path: string, base: string): { readonly script: string; readonly execArgv: string[] } => {
  const fromSource = import.meta.url.endsWith('.ts')
  return {
    script: fileURLToPath(new URL(`${path}${fromSource ? '.ts' : '.js'}`, base)),
    execArgv: fromSource ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm')).href] : ['--enable-source-maps'],
  }
}
