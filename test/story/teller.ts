import { isDeepStrictEqual } from 'node:util'
import { errorMessage } from '../../actors/kernel/ports/errors/error-message.ts'

export type Out = { readonly write: (text: string) => unknown; readonly isTTY?: boolean | undefined }

/** Tells the story: scenes, what people do, and what must be true, with the time since the beginning. */
export const teller = (out: Out) => {
  const began = performance.now()
  const paint = (code: number) => (text: string) => (out.isTTY ? `\x1b[${code}m${text}\x1b[0m` : text)
  const [bold, dim, red, green, cyan] = [paint(1), paint(2), paint(31), paint(32), paint(36)]
  let checks = 0
  const wrong: string[] = []
  const line = (text: string) => {
    const at = `${((performance.now() - began) / 1000).toFixed(2)} s`.padStart(8)
    out.write(`${dim(at)}  ${text}\n`)
  }
  const no = (what: string, why: string) => {
    wrong.push(`${what}: ${why}`)
    line(`  ${red('✗')} ${what}: ${red(why)}`)
  }
  return {
    bold,
    dim,
    cyan,
    red,
    scene: (title: string) => out.write(`\n${bold(title)}\n`),
    tell: (text: string) => line(`  ${text}`),
    plain: (text: string) => out.write(`${text}\n`),
    /** Something that must be so. */
    same: (what: string, found: unknown, due: unknown) => {
      checks += 1
      if (isDeepStrictEqual(found, due)) line(`  ${green('✓')} ${what}`)
      else no(what, `it is ${JSON.stringify(found)}, not ${JSON.stringify(due)}`)
    },
    /** Something that must come about; `found` rejects when it does not. @returns whether it did */
    comes: async (what: string, found: Promise<unknown>): Promise<boolean> => {
      checks += 1
      try {
        await found
        line(`  ${green('✓')} ${what}`)
        return true
      } catch (error) {
        no(what, errorMessage(error))
        return false
      }
    },
    /** @returns whether all was as it must be */
    end: (): boolean => {
      if (wrong.length === 0) out.write(`\n${green('All is well')}: ${checks} things were as they must be.\n`)
      else out.write(`\n${red(`${wrong.length} of ${checks} things were wrong`)}:\n${wrong.map(w => `  ${w}`).join('\n')}\n`)
      return wrong.length === 0
    },
  }
}
export type Teller = ReturnType<typeof teller>
