import { V7Generator } from 'uuidv7'

/** Message ids: UUIDv7 of the given time, rising within an edge. */
export const messageIds = () => {
  const generator = new V7Generator()
  return (now: number): string => generator.generateOrResetWithTs(now).toString()
}
