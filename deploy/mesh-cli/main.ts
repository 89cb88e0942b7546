import { run } from './run.ts'

/*
 * The operator's tool: `npm run mesh -- status`; `--help` lists the rest.
 */
// A reader that goes (`| head`) must not break off what has begun.
process.stdout.on('error', () => {})
void run(process.argv.slice(2), {
  say: line => void process.stdout.write(`${line}\n`),
  complain: line => void process.stderr.write(`${line}\n`),
}).then(code => process.exit(code))
