/** What no shell takes for anything but itself. */
const PLAIN = /^[\w@%+=:,./-]+$/

/** A word as it is typed or pasted into a POSIX shell: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02 */
export const quoteWord = (text: string): string => (PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

/** A flag with its value. One that begins with a dash would be taken for a flag of its own. */
export const formatFlag = (name: string, value: string): string =>
  value.startsWith('-') ? `--${name}=${quoteWord(value)}` : `--${name} ${quoteWord(value)}`
