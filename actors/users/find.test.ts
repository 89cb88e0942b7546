import { describe, expect, test } from 'vitest'
import { counts, nameEntry, type User, user } from '../../contracts/users.ts'
import { granted } from '../kernel/testing/world.ts'
import { ann, bob, cem, dan, village } from '../testing/village.ts'
import { FOLDING, formsOf, headOf, MAX_FORM, prefixOf } from './folding.ts'
import { userViews as views } from './queries.ts'
import { userRules as rules } from './rules.ts'

const find = views['user.find']
type World = ReturnType<typeof village>
const rename = (w: World, who: string, firstName: string, lastName = 'Example') => w.say(who, 'user.replace', { firstName, lastName })
/** Everybody on all pages of a search, in their order. */
const found = async (w: World, by: string, name: string, limit = 20): Promise<readonly string[]> => {
  const read = await w.read()
  const ids: string[] = []
  for (let after: string | undefined; ; ) {
    const { items, next } = granted(await find({ by, data: { name }, now: w.now(), limit, after }, read))
    ids.push(...items.map(i => i.id))
    if (next === null) return ids
    expect(items).toHaveLength(limit)
    after = next
  }
}

describe('folding', () => {
  test.each([
    ['Straße', 'STRASSE'],
    ['Weiẞ', 'weiss'],
    ['Ｆｕｌｌ　Ｗｉｄｔｈ', 'full width'],
    ['İstanbul', 'istanbul'],
    ['Işıl', 'ISIL'],
    ['ışıl', 'Işil'],
    ['Zoe\u0301', 'zoé'],
    ['Łukasz', 'lukasz'],
    ['Øyvind', 'OYVIND'],
    ['Đặng', 'dang'],
    ['ﬁnn', 'Finn'],
    ['Σίσυφος', 'ΣΊΣΥΦΟΣ'],
    ['Ёлка', 'елка'],
    ['ﾔﾏﾀﾞ', 'ヤマダ'],
    ['محمّد', 'محمد'],
    ['أحمد', 'احمد'],
    ['שָׁלוֹם', 'שלום'],
    ["O'Brien", 'O’Brien'],
    ['OʼBrien', 'o brien'],
    ['Jean‐Luc', 'jean luc'],
    ['a\u200Db', 'AB'],
  ])('%s is %s', (one, other) => {
    expect(prefixOf(one)).toBeDefined()
    expect(prefixOf(one)).toBe(prefixOf(other))
  })

  test.each([
    ['パン', 'ハン'],
    ['ヤマダ', 'ヤマタ'],
    ['हिन्दी', 'हनद'],
    ['ก็บ', 'กบ'],
    ['Müller', 'Mueller'],
    ['日本', 'Riben'],
  ])('%s is not %s', (one, other) => expect(prefixOf(one)).not.toBe(prefixOf(other)))

  test('a beginning of a name is a beginning of its form', () => {
    for (const name of ["Jean-Luc O'Brien", 'Straßenbauer', 'İpek Işık', '김하늘', 'ヤマダ たろう', 'Ｆｕｌｌ', 'Σίσυφος', 'ŉandi']) {
      const [full = ''] = formsOf({ firstName: name, lastName: 'X' })
      const whole = [...name]
      for (let n = 1; n <= whole.length; n++) {
        const prefix = prefixOf(whole.slice(0, n).join('').trim())
        if (prefix !== undefined) expect(full.startsWith(prefix), `${full} begins with ${prefix}`).toBe(true)
      }
    }
  })

  test('two characters are asked for, one of Han, Kana and Hangul', () => {
    for (const short of ['a', 'é', 'e\u0301', 'ß', 'Ж', 'م', '-', '1']) expect(prefixOf(short), short).toBeUndefined()
    for (const enough of ['李', 'あ', 'ﾔ', '김', 'ㄱ', "O'", 'ab', 'Жу', '--']) expect(prefixOf(enough), enough).toBeDefined()
  })

  test('forms are bounded, never empty, and hold nothing that ends the part of a key', () => {
    for (const name of ['ﷺ'.repeat(80), '#', '##', '—', 'ـ', 'A', '𝒜'.repeat(80), '힣'.repeat(80)])
      for (const form of formsOf({ firstName: name, lastName: name })) {
        expect([...form].length).toBeLessThanOrEqual(MAX_FORM)
        expect(form).not.toBe('')
        expect(nameEntry.at({ head: headOf(form), form, userId: ann }).place.sk.length).toBeLessThan(1024)
      }
  })
})

test('people are found by first, last and full name, each once, oneself included', async () => {
  const w = village(ann, bob, cem, dan)
  rename(w, ann, 'Ann', 'Annson')
  rename(w, bob, 'Bob', 'Ännä')
  rename(w, cem, '李', '小龍')
  rename(w, dan, 'X', 'Y')
  for (const limit of [1, 2, 20]) expect(new Set(await found(w, ann, 'ann', limit))).toEqual(new Set([ann, bob]))
  expect(await found(w, ann, 'ann', 1)).toHaveLength(2)
  expect(await found(w, bob, 'ANN A')).toEqual([ann])
  expect(await found(w, bob, 'annson')).toEqual([ann])
  expect(await found(w, bob, 'annx')).toEqual([])
  expect(await found(w, ann, '李')).toEqual([cem])
  expect(await found(w, ann, '小')).toEqual([cem])
  expect(await found(w, ann, '李 小')).toEqual([cem])
  expect(await found(w, ann, 'x Y')).toEqual([dan])
  const short = await find({ by: ann, data: { name: 'a' }, now: w.now(), limit: 20, after: undefined }, await w.read())
  expect(short).toMatchObject({ refused: 'validation-failed', errors: [{ pointer: '/name' }] })
})

test('a rename shows at once, writes four rows at most, and leaves none behind', async () => {
  const w = village(ann)
  const entries = () => w.stored().flatMap(({ place }) => (place.pk.startsWith('name#') ? [place.sk] : []))
  rename(w, ann, 'Zoë', 'Ashe')
  expect(await found(w, ann, 'zoe')).toEqual([ann])
  w.say(ann, 'user.edit', { lastName: 'Oak' })
  expect([await found(w, ann, 'ashe'), await found(w, ann, 'zoe a'), await found(w, ann, 'oak')]).toEqual([[], [], [ann]])
  expect(entries()).toEqual([`form#oak#${ann}`, `form#zoe oak#${ann}`])
  // What is written alike needs no other rows.
  w.say(ann, 'user.edit', { lastName: 'OAK' })
  expect(entries()).toHaveLength(2)
  rename(w, ann, '—', '#')
  expect(await found(w, ann, '— #')).toEqual([ann])
  expect(entries()).toHaveLength(2)
})

test('blocked people are left out, either way, and pages are full all the same', async () => {
  const many = Array.from({ length: 60 }, (_, i) => `e0000000-0000-4000-8000-${String(i).padStart(12, '0')}`)
  const w = village(ann, ...many)
  for (const [i, who] of many.entries()) {
    rename(w, who, 'Same', `Name${String(i).padStart(2, '0')}`)
    if (i % 3 === 0) w.say(ann, 'user.block', { userId: who })
    if (i % 3 === 1) w.say(who, 'user.block', { userId: ann })
  }
  expect(await found(w, ann, 'same', 7)).toEqual(many.filter((_, i) => i % 3 === 2))
  expect(await found(w, many[0] ?? '', 'same name', 50)).toEqual(many)
})

test('a profile from before there was a search is found from its next write on, one that changes nothing included', () => {
  const w = village(ann)
  const now = w.at(user.at({ userId: ann }))
  if (now.status !== 'live') throw new Error('she has a profile')
  const { names, ...old } = now
  expect(names).toEqual({ folding: FOLDING, forms: ['ann example', 'example'] })
  const message = { id: 'm', by: ann, at: '2026-11-20T12:00:00.000Z', data: {} }
  const decide = (of: User) => rules.decide['user.edit'](of, message, { counts: counts.initial })
  expect(decide(old)).toEqual([{ type: 'user.indexed', data: { userId: ann } }])
  const event = { id: 'm.0', at: message.at, now: message.at, by: ann, data: { userId: ann } }
  const { state, writes } = rules.apply['user.indexed'](old, event)
  expect(state).toEqual(now)
  expect(writes?.map(x => [x.write, x.place.sk])).toEqual([
    ['put', `form#ann example#${ann}`],
    ['put', `form#example#${ann}`],
  ])
  expect(decide(state)).toEqual([])
  // Rows of an older folding are known by the profile, and go.
  const older = rules.apply['user.indexed']({ ...old, names: { folding: 0, forms: ['aann example', 'example'] } }, event)
  expect(older.writes?.map(x => [x.write, x.place.sk])).toEqual([
    ['remove', `form#aann example#${ann}`],
    ['put', `form#ann example#${ann}`],
  ])
})
