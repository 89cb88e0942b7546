import anyAscii from 'any-ascii'

/**
 * Names as search compares them: without case, accents and width. A beginning of a name folds to a beginning of what the name folds to, so that forms can be
 * found by prefix. Fold once, always from the original: a few characters fold to what folds further.
 */

/** Which folding a person's stored forms came of. It changes with this file, and with a Node whose Unicode treats names in another way. */
export const FOLDING = 1
/** The longest form, in characters: of four bytes each they fit a sort key, and it a cursor. One character of a name can fold to eighteen. */
export const MAX_FORM = 120

/** Marks that decorate letters: accents, Arabic and Hebrew points. Not those that are vowels or make another sound, as in Hindi, Thai and Japanese. */
const MARKS =
  /[\u0300-\u036F\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20FF\uFE20-\uFE2F\u0640\u064B-\u065F\u0670\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7]|\p{Variation_Selector}|\p{Cf}/gu
const LATIN = /\p{Script=Latin}+/gu
/** A kana and its voicing mark, which NFKD took apart: か is no beginning of が. */
const VOICED = /[\u3041-\u30FF][\u3099\u309A]/gu
/** What separates words or stands for it, the letters that look like apostrophes included. */
const SEPARATORS = /[\p{P}\p{Z}\p{Sk}\s\u02B9-\u02BF]+/gu

const folded = (name: string): string =>
  name
    .normalize('NFKD')
    // Upper case makes plain letters of ß, ı and ligatures, whatever the language.
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKD')
    .replace(MARKS, '')
    .replaceAll('ς', 'σ')
    .replace(LATIN, run => anyAscii(run).toLowerCase())
    .replace(VOICED, kana => kana.normalize('NFC'))
    .replace(SEPARATORS, ' ')
    .trimStart()

const characters = (text: string, most: number): string => [...text].slice(0, most).join('')
/** What nothing is left of by folding is compared as it is. A `#` would end the key's part. */
const orAsItIs = (form: string, name: string): string => (form === '' ? name.toLowerCase().replaceAll('#', '＃') : form)

/** The form that a name is found by. */
const formOf = (name: string): string => characters(orAsItIs(folded(name).trimEnd(), name), MAX_FORM).trimEnd()
/** The forms of a person: full name, which begins with the first, and last name. */
export const formsOf = ({ firstName, lastName }: { readonly firstName: string; readonly lastName: string }): readonly string[] => [
  ...new Set([formOf(`${firstName} ${lastName}`), formOf(lastName)]),
]

/** Where a single character says as much as a syllable. */
const SYLLABIC = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u
/** How many of its first characters a form needs to be found. */
const needed = (form: string): number => (SYLLABIC.test(form) ? 1 : 2)
/** The part of the index that a form lies in: its first two characters, or the first where one is enough to ask. */
export const headOf = (form: string): string => characters(form, needed(form))

/** What forms begin with that are asked for; undefined if it is too short to ask for. */
export const prefixOf = (asked: string): string | undefined => {
  const open = folded(asked)
  const closed = open.trimEnd()
  // "O'" is the beginning of "O'Brien", and too short without its end.
  const form = orAsItIs([...closed].length < needed(closed) ? open : closed, asked)
  return [...asked.normalize('NFC')].length >= needed(form) && [...form].length >= needed(form) ? characters(form, MAX_FORM) : undefined
}
