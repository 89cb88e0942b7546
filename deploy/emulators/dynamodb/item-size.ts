import type { AttributeValue, Item } from 'dynalite/db/index.js'

/**
 * An item's size in bytes as DynamoDB counts it: names and strings in UTF-8. dynalite counts UTF-16 units, so that it would store an item of
 * 400,000 accented letters that the real service refuses.
 * Source: Amazon DynamoDB Developer Guide, "Item sizes and formats".
 */
export function itemSize(item: Item): number {
  let size = 0
  for (const name in item) size += Buffer.byteLength(name) + valueSize(item[name])
  return size
}

function valueSize(value: AttributeValue | undefined): number {
  for (const type in value) {
    const content = value[type]
    if (typeof content === 'string')
      return type === 'N' ? numberSize(content) : type === 'B' ? binarySize(content) : Buffer.byteLength(content)
    if (typeof content === 'boolean') return 1
    if (type === 'L') return listOf(content).reduce<number>((sum, entry) => sum + 1 + (isItem(entry) ? valueSize(entry) : 0), 3)
    if (type === 'M') return isMap(content) ? 3 + Object.keys(content).length + itemSize(content) : 3
    const member = type.charAt(0)
    return listOf(content).reduce<number>((sum, entry) => sum + valueSize({ [member]: entry }), 0)
  }
  return 0
}

const listOf = (content: unknown): unknown[] => (Array.isArray(content) ? content : [])
const isItem = (entry: unknown): entry is AttributeValue => typeof entry === 'object' && entry !== null
const isMap = (content: unknown): content is Item => typeof content === 'object' && content !== null

/** About one byte for two significant digits, and one more. */
const numberSize = (digits: string) => Math.ceil(digits.replace(/[-.]|^0+|0+$/g, '').length / 2) + 1

/** Bytes behind base64. */
const binarySize = (base64: string) => (base64.length / 4) * 3 - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0)
