import { MAX_CURSOR_LENGTH } from '../../contracts/edge.ts'
import { edgeProblem } from './problems.ts'
import { type EdgeSecret, sealer } from './signing.ts'

/**
 * Cursors of lists: where the page ended, encrypted and bound to the caller, the list and its filters. Encrypted, because the last item looked at may be
 * one that the caller may not see.
 */
export const cursors = (secret: EdgeSecret) => {
  const { seal, open } = sealer(secret, 'cursor')
  const binding = (by: string, type: string, data: unknown) => `${by}\0${type}\0${JSON.stringify(data)}`
  return {
    write: (after: string, by: string, type: string, data: unknown): string => seal(after, binding(by, type, data)),
    /** @throws EdgeProblem `bad-cursor` */
    read: (cursor: string, by: string, type: string, data: unknown): string => {
      const after = cursor.length > MAX_CURSOR_LENGTH ? undefined : open(cursor, binding(by, type, data))
      if (after === undefined) throw edgeProblem('bad-cursor', 'give back the `next` of this very list, unaltered')
      return after
    },
  }
}
export type Cursors = ReturnType<typeof cursors>
