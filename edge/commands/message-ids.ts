import { randomFillSync } from 'node:crypto'
import { V7Generator } from 'uuidv7'

/** Randomness for this many numbers is fetched at once: fetching costs the same for one as for many. */
const BATCH = 1024

const randomNumbers = () => {
  const numbers = new Uint32Array(BATCH)
  let used = BATCH
  return {
    nextUint32: (): number => {
      if (used === BATCH) {
        randomFillSync(numbers)
        used = 0
      }
      return numbers[used++] ?? 0
    },
  }
}

/** Message ids: UUIDv7 of the given time, rising within an edge. */
export const messageIds = () => {
  const generator = new V7Generator(randomNumbers())
  return (now: number): string => generator.generateOrResetWithTs(now).toString()
}
