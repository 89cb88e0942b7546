/**
 * What the characters of a text are good for, by their Unicode properties. The expressions are made when they are first needed: the engine of the load
 * tests loads this file too, knows fewer properties, and checks no text.
 */

const made = new Map<string, RegExp>()
const expression = (source: string): RegExp => {
  const known = made.get(source)
  if (known) return known
  const regex = new RegExp(source, 'u')
  made.set(source, regex)
  return regex
}

/** Letters and symbols that fonts draw as nothing: Hangul fillers, Braille without dots, the object that is not there, the null note, Egyptian blanks. */
const BLANK_SYMBOLS = '\\u115F\\u1160\\u3164\\uFFA0\\u2800\\uFFFC\\u{1D159}\\u{13441}\\u{13442}'
/**
 * Only letters, digits, punctuation and symbols draw something of their own. Joiners, variation selectors, tags and combining marks change their
 * neighbours; private use and what Unicode has not assigned have no picture that everybody has.
 */
const VISIBLE = `(?![${BLANK_SYMBOLS}])[\\p{L}\\p{N}\\p{P}\\p{S}]`
/** Whether there is anything to see. */
export const isVisible = (text: string): boolean => expression(VISIBLE).test(text)

/** Half of a surrogate pair: JSON can spell it, UTF-8 and the engines cannot. */
export const isWellFormed = (text: string): boolean => !expression('\\p{Surrogate}').test(text)

/** The flags of England, Scotland and Wales (emoji tag sequences): the only honest use of tag characters, which hide text otherwise. */
const FLAG = /\u{1F3F4}\u{E0067}\u{E0062}(?:\u{E0065}\u{E006E}\u{E0067}|\u{E0073}\u{E0063}\u{E0074}|\u{E0077}\u{E006C}\u{E0073})\u{E007F}/gu
/** Tags, annotations between lines, and the formats that Unicode itself deprecates. */
const HIDING = '\\u{E0000}-\\u{E007F}\\uFFF9-\\uFFFB\\u206A-\\u206F'
/** No controls, no end of a line, nothing that turns the direction of what follows: it would reach beyond the line's own text. */
const FOREIGN_IN_LINE = `[\\p{Cc}\\u2028\\u2029\\u202A-\\u202E\\u2066-\\u2069${HIDING}]`
/** Line breaks and tabs are welcome here, overrides of the direction nowhere. */
const FOREIGN_IN_TEXT = `(?![\\t\\n\\r])[\\p{Cc}\\u202D\\u202E${HIDING}]`

const nameOf = (character: string) => `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
const foreign = (source: string, text: string): string | undefined => {
  const found = expression(source).exec(text.replace(FLAG, ''))
  return found ? nameOf(found[0]) : undefined
}
/** The first character that a line must not hold, as `U+202E`. */
export const foreignInLine = (text: string): string | undefined => foreign(FOREIGN_IN_LINE, text)

const DIRECTIONS = /[\u202A\u202B\u202C\u2066-\u2069\n\r\u2029]/gu
/** The first embedding or isolate that its paragraph does not end, or end of one that was not begun (UAX #9). */
const unpaired = (text: string): string | undefined => {
  const open: string[] = []
  for (const [character] of text.matchAll(DIRECTIONS)) {
    if (character === '\n' || character === '\r' || character === '\u2029') {
      if (open[0] !== undefined) return nameOf(open[0])
    } else if (character === '\u202C' || character === '\u2069') {
      const begun = open.pop()
      const isEmbedding = begun === '\u202A' || begun === '\u202B'
      if (begun === undefined || isEmbedding !== (character === '\u202C')) return nameOf(character)
    } else open.push(character)
  }
  return open[0] === undefined ? undefined : nameOf(open[0])
}
/** The first character that a text of several lines must not hold, or not there. */
export const foreignInText = (text: string): string | undefined => foreign(FOREIGN_IN_TEXT, text) ?? unpaired(text)

/** White space, and what is as good as that at the ends of a text. Joiners, marks and variation selectors belong to their neighbours and stay. */
const SPACE =
  '\t\n\v\f\r \u0085\u00A0\u00AD\u1680\u180E\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u200B\u2028\u2029\u202F\u205F\u2060\u2061\u2062\u2063\u2064\u2800\u3000\u3164\uFEFF\uFFA0'
const SPACES: ReadonlySet<number> = new Set(Array.from(SPACE, s => s.charCodeAt(0)))

/** Takes blanks from both ends, each looked at once: an expression for the end would begin anew at every blank between. */
export const trim = (text: string): string => {
  let from = 0
  let to = text.length
  while (from < to && SPACES.has(text.charCodeAt(from))) from++
  while (to > from && SPACES.has(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

/** Code points; half of a pair counts as one. */
export const lengthOf = (text: string): number => {
  let pairs = 0
  for (let i = 1; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) !== 0xdc00 || (text.charCodeAt(i - 1) & 0xfc00) !== 0xd800) continue
    pairs++
    i++
  }
  return text.length - pairs
}
