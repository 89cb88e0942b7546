import { parseArgs } from 'node:util'

export type Flags = { readonly url: string; readonly people: number; readonly seed: number; readonly help: boolean }

/** A flag that is wrong; the message names it. */
export class BadFlag extends Error {
  override readonly name = 'BadFlag'
}

export const HELP = `Fills a mesh that runs with people who are friends, post, like and comment, through its public API. A second run adds nothing on the same day.

  npm run seed -- [flags]

  --url URL    of the mesh (default http://127.0.0.1:3000)
  --people N   how many, 2 to 10000 (default 50)
  --seed N     who they are and what they do; another seed makes other people (default 1)
  --help       this

They sign in as seed-<seed>-<n>@example.org with the password that the summary shows.
`

/** @throws BadFlag */
export const readFlags = (args: readonly string[]): Flags => {
  const { url = 'http://127.0.0.1:3000', people = '50', seed = '1', help = false } = parsed(args)
  if (!URL.canParse(url)) throw new BadFlag(`--url takes an address, not ${JSON.stringify(url)}`)
  return { url, people: whole('people', people, 2, 10_000), seed: whole('seed', seed, 0, 2 ** 32 - 1), help }
}

const parsed = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: { url: { type: 'string' }, people: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    }).values
  } catch (error) {
    throw new BadFlag(error instanceof Error ? error.message : String(error))
  }
}
const whole = (name: string, text: string, least: number, most: number): number => {
  const n = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(n >= least && n <= most)) throw new BadFlag(`--${name} takes ${least} to ${most}, not ${JSON.stringify(text)}`)
  return n
}
