/**
 * Finds wall time where it must not be: in a difference, a comparison or a sum, which make durations and deadlines. It reads text, not types, so it
 * knows a wall reading by its name (`now()`, `Date.now()`, `new Date()`) and a variable by where it got one.
 */

export type Finding = { readonly file: string; readonly line: number; readonly text: string }

/** `performance.now()` is not set by anybody. */
const READING = String.raw`(?:(?<![\w.])(?!performance\b)(?:\w+(?:\?\.|\.))*now\(\)|new Date\(\)(?:\.getTime\(\))?)`
const OPERATOR = '(?:[-+*/%]=?|<=?|>=?)'
/** An arrow is no comparison, and a type's closing bracket before a call none either. */
const BEFORE = String.raw`(?<![=])${OPERATOR}\s*`
const AFTER = String.raw`\s*${OPERATOR}(?!>)`
const CALCULATED = new RegExp(`${BEFORE}\\+?${READING}|${READING}${AFTER}`)
const KEPT = new RegExp(`(?:(?:const|let)\\s+(\\w+)(?:\\s*:[^=]+)?|\\b(\\w+)(?:\\.\\w+)*)\\s*(?:\\?\\?)?=\\s*${READING}\\s*(?:$|[,;)}])`)

const isCode = (line: string) => !/^\s*(?:\/\/|\*|\/\*)/.test(line)
const code = (line: string) => line.replace(/\s\/\/ .*$/, '')
/** Names that hold a wall reading, with the text that shows it. */
const keptIn = (lines: readonly string[]): readonly string[] =>
  lines.flatMap(line => {
    const [, declared, assigned] = (isCode(line) && KEPT.exec(code(line))) || []
    return declared ?? assigned ?? []
  })

/** Lines that make a duration or a deadline of wall time. */
export const findingsIn = (file: string, source: string): readonly Finding[] => {
  const lines = source.split('\n')
  const kept = [...new Set(keptIn(lines))]
  const calculated = kept.map(name => new RegExp(`${BEFORE}(?<!\\.)\\b${name}\\b(?![.(:\\w])|(?<![.\\w])${name}\\b${AFTER}`))
  return lines.flatMap((line, at) => {
    const text = code(line)
    const found = isCode(line) && (CALCULATED.test(text) || calculated.some(pattern => pattern.test(text)))
    return found ? [{ file, line: at + 1, text: line.trim() }] : []
  })
}
