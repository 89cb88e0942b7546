/** What takes long and is kept. When it failed, the next caller has it tried again: one bad start must not make a warm function fail for hours. */
export const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch(error => {
      made = undefined
      throw error
    })
    return made
  }
}
