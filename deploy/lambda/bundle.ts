import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { mesh } from '../../contracts/mesh.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Some packages are CommonJS and ask for Node's own modules with `require`, which a module has not. */
const REQUIRE = `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`

/** A function's source: an actor's is the same for every actor but for its code. */
const sources: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    mesh.actors.map(({ name }) => [
      name,
      `import { actorFunction } from './deploy/lambda/actor.ts'
       export const handler = actorFunction('${name}')`,
    ]),
  ),
  'post-confirmation': `export { handler } from './deploy/lambda/post-confirmation.ts'`,
}

/** What a bundle came to. */
export type Bundle = { readonly name: string; readonly file: string; readonly bytes: number }

/**
 * Bundles a Lambda function an actor and the one for Cognito's post-confirmation trigger, each with all that it needs, the AWS SDK too: the one that
 * Lambda brings changes without notice. The handler is `<name>.handler`.
 */
export const bundleFunctions = (folder: string): Promise<readonly Bundle[]> =>
  Promise.all(
    Object.entries(sources).map(async ([name, contents]) => {
      const file = `${folder}/${name}.mjs`
      const { metafile } = await build({
        stdin: { contents, resolveDir: root, sourcefile: `${name}.ts`, loader: 'ts' },
        outfile: file,
        bundle: true,
        platform: 'node',
        target: 'node20',
        format: 'esm',
        banner: { js: REQUIRE },
        // Loaded when it is there, which it is not.
        external: ['pg-native'],
        minifySyntax: true,
        minifyWhitespace: true,
        // Names stay: errors are told apart by them, in logs and in code.
        keepNames: true,
        metafile: true,
        logLevel: 'warning',
      })
      return { name, file, bytes: Object.values(metafile.outputs)[0]?.bytes ?? 0 }
    }),
  )
