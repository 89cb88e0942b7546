/** What the thread with the database says. Whatever it is told means that it should close. */
export type FromThread =
  | { readonly kind: 'ready'; readonly port: number }
  /** `settled`: no job waits for anything. */
  | { readonly kind: 'closed'; readonly settled: boolean }
