/**
 * Rows in columns as wide as their widest cell; columns whose title begins with a space are numbers and stand to the right.
 * Nothing is cut: where it does not fit, the terminal wraps.
 */
export const table = (titles: readonly string[], rows: readonly (readonly string[])[]): string[] => {
  const right = titles.map(t => t.startsWith(' '))
  const all = [titles.map(t => t.trim()), ...rows]
  const widths = titles.map((_, column) => Math.max(...all.map(row => row[column]?.length ?? 0)))
  const cell = (text: string, column: number) => {
    const width = widths[column] ?? 0
    return right[column] ? text.padStart(width) : text.padEnd(width)
  }
  return all.map(row =>
    titles
      .map((_, column) => cell(row[column] ?? '', column))
      .join('  ')
      .trimEnd(),
  )
}

/** `850 ms`, `12 s`, `3 min`, `5 h`, `2 d`. @param ms a length of time */
export const span = (ms: number): string => {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`
  if (ms < 2 * 86_400_000) return `${Math.floor(ms / 3_600_000)} h`
  return `${Math.floor(ms / 86_400_000)} d`
}

/** `2026-11-20 09:00:01Z`. @param at epoch ms */
export const moment = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}Z`

/** `1 message`, `2 messages`. */
export const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`
