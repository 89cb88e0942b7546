import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { cache, compile, SOURCES } from './compile.mjs'

/* `npm start`: compiles our modules and runs deploy/embedded/main. */
try {
  await compile(SOURCES)
} catch (error) {
  // Of errors in the sources esbuild has said where they are.
  if (!('errors' in error)) process.stderr.write(`Daily Grind cannot start: ${error.message}\n`)
  process.exit(1)
}
process.setSourceMapsEnabled(true)
await import(pathToFileURL(join(cache, 'deploy/embedded/main.js')).href)
