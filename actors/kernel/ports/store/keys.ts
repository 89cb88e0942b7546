import type { Place } from '../../../../contracts/declare/records.ts'
import { Unstorable } from './port.ts'

/** Most bytes of a partition key and of a sort key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const MOST = { pk: 2048, sk: 1024 }

/** A place as one string. */
export const keyOf = ({ table, pk, sk }: Place): string => `${table}\0${pk}\0${sk}`

/** A place as errors name it. */
export const spoken = ({ table, pk, sk }: Place): string => `${table} ${pk} ${sk}`

/**
 * One wrong key would fail everybody's reads in the same request, so it is refused before.
 * @throws an error that says which key it is
 */
export const checkKey = (key: Readonly<Partial<Place>>): void => {
  for (const name of ['pk', 'sk'] as const) {
    const value = key[name]
    if (value === undefined) continue
    if (value === '') throw new Unstorable(`the ${name} of a place is empty: ${JSON.stringify(key)}`)
    if (Buffer.byteLength(value) > MOST[name])
      throw new Unstorable(`the ${name} of a place is longer than ${MOST[name]} bytes: ${value.slice(0, 80)}…`)
  }
}

/** In UTF-16 surrogates come before U+E000, in UTF-8 what they stand for comes after U+FFFF. */
const rank = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

/** Compares strings as DynamoDB sorts them: by the bytes of their UTF-8. */
export const byBytes = (a: string, b: string): number => {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = rank(a.charCodeAt(i)) - rank(b.charCodeAt(i))
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
