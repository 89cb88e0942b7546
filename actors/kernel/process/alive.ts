/** Whether a process exists. One of another user counts: the signal is refused, not lost. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Resolves when none of the processes is left, or after `withinMs`; tells whether they are gone. */
export const outlive = async (pids: readonly number[], withinMs: number): Promise<boolean> => {
  const until = performance.now() + withinMs
  while (pids.some(isAlive)) {
    if (performance.now() > until) return false
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return true
}
