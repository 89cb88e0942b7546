/** Tags that are older than the rules and do not follow them (RFC 5646, 2.1, "irregular"). */
const IRREGULAR = new Set(
  'en-gb-oed i-ami i-bnn i-default i-enochian i-hak i-klingon i-lux i-mingo i-navajo i-pwn i-tao i-tay i-tsu sgn-be-fr sgn-be-nl sgn-ch-de'.split(
    ' ',
  ),
)
const PRIVATE = /^x(?:-[a-z\d]{1,8})+$/
/** Language with up to three extensions of it, script, region; then variants, extensions and what is private. */
const TAG =
  /^(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?((?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*)((?:-[a-wyz\d](?:-[a-z\d]{2,8})+)*)(?:-x(?:-[a-z\d]{1,8})+)?$/

const isDistinct = (parts: readonly string[]) => new Set(parts).size === parts.length

/**
 * Whether a tag is a language tag (RFC 5646): well-formed, and without a variant or an extension that comes twice. Some of these (`x-default`, `i-klingon`) are none
 * to `Intl`: who hands one to it must expect a `RangeError`.
 * @param tag a short text: its cost grows with the length alone, but who calls has bounded that
 */
export const isLanguage = (tag: string): boolean => {
  const lower = tag.toLowerCase()
  if (IRREGULAR.has(lower) || PRIVATE.test(lower)) return true
  const [whole, variants = '', extensions = ''] = TAG.exec(lower) ?? []
  if (whole === undefined) return false
  const singletons = [...extensions.matchAll(/-([a-z\d])(?=-)/g)].map(m => m[1] ?? '')
  return isDistinct(variants.split('-').slice(1)) && isDistinct(singletons)
}
