import { environment } from '../actors/kernel/config/config.ts'

/** `npm test` takes a sample of what is done many times over; with `WHOLE=1`, as `.ci/run` has it, all of it is done. */
const whole = environment({}).WHOLE === '1'

/** The one or the other: `sample` does less of the same, never none of it. */
export const sampled = <T>(all: T, sample: T): T => (whole ? all : sample)
