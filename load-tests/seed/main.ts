import { meet } from '../../contracts/client/client.ts'
import { fill, PASSWORD, type Progress } from './fill.ts'
import { BadFlag, type Flags, HELP, readFlags } from './flags.ts'
import { plan } from './plan.ts'

const say = (text: string): void => void process.stdout.write(text)

/** One line a step; on a terminal it counts, elsewhere (a log) it is written when the step is over. */
const progress: Progress = (what, done, of) => {
  const line = `  ${what.padEnd(20)} ${String(done).padStart(6)} of ${of}`
  if (done === of) say(`${process.stdout.isTTY ? '\r' : ''}${line}\n`)
  else if (process.stdout.isTTY) say(`\r${line}`)
}

const main = async ({ url, people, seed, help }: Flags): Promise<void> => {
  if (help) return say(HELP)
  const began = performance.now()
  say(`Filling ${url} with ${people} people (seed ${seed})\n`)
  const planned = plan(people, seed)
  const s = await fill(await meet(url), planned, progress)
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  say(`
${s.signedUp} people signed up${s.known > 0 ? `, ${s.known} were there` : ''}; ${s.friendships} friendships, ${s.likes} likes, ${s.comments} comments
${s.published} published their day${s.posted > 0 ? `, ${s.posted} had done so` : ''}; ${seconds} s
Sign in as ${planned.people[0]?.email} … ${planned.people.at(-1)?.email}, password ${PASSWORD}
`)
}

try {
  await main(readFlags(process.argv.slice(2)))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  if (error instanceof BadFlag) process.stderr.write('\n--help shows what there is.\n')
  process.exitCode = error instanceof BadFlag ? 2 : 1
}
