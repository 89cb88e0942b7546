/** Beyond it doubling could leave the numbers that are exact. */
const MAX_DOUBLINGS = 30

export type BackOff = { readonly firstMs: number; readonly maxMs: number }

/**
 * The pause after a number of failures in a row: `firstMs`, twice as much, four times …, at the most `maxMs`.
 * @param failures from 1 on
 */
export const backOffMs = (failures: number, { firstMs, maxMs }: BackOff): number =>
  Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, MAX_DOUBLINGS))

/** A pause, give or take a quarter, so that what failed together does not come back together. */
export const spreadMs = (ms: number, random: () => number): number => ms * (0.75 + random() / 2)
