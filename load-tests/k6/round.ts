import { failures } from './metrics.ts'
import { pause } from './wait.ts'

/**
 * A round of a virtual user. One that goes wrong is counted, told and followed by a pause: k6 itself would log the error, call the run a success, and
 * begin the next round at once, thousands a second when the mesh is away.
 */
export const round =
  <D>(play: (data: D) => Promise<void>) =>
  async (data: D): Promise<void> => {
    try {
      await play(data)
    } catch (error) {
      failures.add(true)
      console.error(error instanceof Error ? error.message : String(error))
      await pause(1_000)
    }
  }
