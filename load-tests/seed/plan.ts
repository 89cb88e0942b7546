import { seeded } from './random.ts'

/** A person of the network to be, by their place in it. */
export type Planned = {
  readonly email: string
  readonly firstName: string
  readonly lastName: string
  readonly headline: string
  readonly post: { readonly title: string; readonly content: string }
}
/** What one person does about a friend's post. */
type Reaction = { readonly by: number; readonly to: number; readonly like: boolean; readonly comments: readonly string[] }
export type Plan = {
  readonly people: readonly Planned[]
  /** Pairs of places. */
  readonly friends: readonly (readonly [number, number])[]
  readonly reactions: readonly Reaction[]
}

const FIRST = [
  'Ada',
  'Bela',
  'Carla',
  'Dario',
  'Elif',
  'Farid',
  'Greta',
  'Hugo',
  'Ines',
  'Jonas',
  'Kaia',
  'Lior',
  'Mira',
  'Nils',
  'Oona',
  'Pavel',
  'Rosa',
  'Sami',
  'Tara',
  'Uli',
  'Vera',
  'Wim',
  'Yara',
  'Zeno',
] as const
const LAST = [
  'Abel',
  'Brandt',
  'Castro',
  'Dahl',
  'Egger',
  'Fischer',
  'Grimm',
  'Haas',
  'Ivanov',
  'Jansen',
  'Kaya',
  'Lang',
  'Moreau',
  'Novak',
  'Okoro',
  'Peters',
  'Rossi',
  'Silva',
  'Tanaka',
  'Urban',
  'Vogel',
  'Weiss',
] as const
const WORK = [
  'Nurse',
  'Baker',
  'Carpenter',
  'Engineer',
  'Teacher',
  'Gardener',
  'Architect',
  'Midwife',
  'Translator',
  'Electrician',
] as const
const LEARNED = [
  'to ask before I assume',
  'that a break is work too',
  'to say no early',
  'that the checklist was right',
  'to let others finish',
  'how little I had tested',
] as const
const SAID = [
  'I know that day.',
  'Thank you for saying it.',
  'How did you notice?',
  'I shall try this tomorrow.',
  'We had the same last week.',
  'That is worth a drawing on the wall.',
] as const

/** Friends on each side in the circle that everybody sits in; with them come as many at random. */
const NEIGHBOURS = 3
const STRANGERS = 2

/**
 * A network: a circle of neighbours with some who know each other across it, so that everybody is reached over few others. The same numbers make the same one.
 * @param count people, at least 2
 */
export const plan = (count: number, seed: number): Plan => {
  const random = seeded(seed)
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? ''
  const people = Array.from({ length: count }, (_, n): Planned => {
    const learned = pick(LEARNED)
    return {
      email: `seed-${seed}-${n}@example.org`,
      firstName: pick(FIRST),
      lastName: pick(LAST),
      headline: pick(WORK),
      post: { title: 'What I learned today', content: `Today I learned ${learned}.` },
    }
  })
  const known = new Map<string, readonly [number, number]>()
  const befriend = (x: number, y: number) => {
    if (x !== y) known.set(`${Math.min(x, y)}-${Math.max(x, y)}`, [Math.min(x, y), Math.max(x, y)])
  }
  for (let n = 0; n < count; n++) {
    for (let d = 1; d <= NEIGHBOURS; d++) befriend(n, (n + d) % count)
    for (let s = 0; s < STRANGERS; s++) befriend(n, Math.floor(random() * count))
  }
  const friends = [...known.values()]
  const reactions = friends.flatMap(([a, b]) =>
    [
      { by: a, to: b },
      { by: b, to: a },
    ].map(({ by, to }): Reaction => ({ by, to, like: random() < 0.7, comments: random() < 0.35 ? [pick(SAID)] : [] })),
  )
  return { people, friends, reactions }
}
