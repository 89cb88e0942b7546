import { bundleFunctions } from './bundle.ts'

/*
 * `npm run build:lambda`: every function as one file in dist/lambda.
 */
for (const { file, bytes } of await bundleFunctions('dist/lambda')) console.log(`${file}  ${(bytes / 1024).toFixed(0)} KiB`)
