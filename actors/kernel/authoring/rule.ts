import type { Message, Spec, Versions } from '../../../contracts/declare/messages.ts'
import type { Rules } from '../../../contracts/declare/rules.ts'

/** The rules of some of an actor's commands and events, where one file would be too long; checked as strictly as the whole. */
export const part = <T extends Spec, C extends keyof T['commands'], E extends keyof T['events']>(
  _actor: T,
  some: {
    readonly decide: Pick<Rules<T>['decide'], C>
    readonly apply: Pick<Rules<T>['apply'], E>
    readonly answer: Pick<Rules<T>['answer'], C>
  },
) => some

type Part = { readonly decide: object; readonly apply: object; readonly answer: object }
type Intersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void ? I : never
type Together<P extends readonly Part[], K extends keyof Part> = Intersection<P[number][K]>
/** Parts as one, for `rules`, which does not compile while a command or event is in none of them. */
export const together = <const P extends readonly Part[]>(
  ...parts: P
): { decide: Together<P, 'decide'>; apply: Together<P, 'apply'>; answer: Together<P, 'answer'> } => ({
  decide: Object.assign({}, ...parts.map(p => p.decide)),
  apply: Object.assign({}, ...parts.map(p => p.apply)),
  answer: Object.assign({}, ...parts.map(p => p.answer)),
})

/** Whether a condition names what is there. @param version its content version; undefined: nothing is there */
const names = (versions: Versions, version: number | undefined): boolean =>
  version !== undefined && (versions === '*' || versions.includes(version))

/**
 * Whether the message's conditions do not hold (RFC 9110, 13.1). The rule asks, as only the turn knows which version stands.
 * @param version the thing's content version; undefined: it does not exist
 */
export const mismatched = (
  { ifMatch, ifNoneMatch }: Pick<Message<unknown>, 'ifMatch' | 'ifNoneMatch'>,
  version: number | undefined,
): boolean => (ifMatch !== undefined && !names(ifMatch, version)) || (ifNoneMatch !== undefined && names(ifNoneMatch, version))

const HOUR = 3_600
/** How long a deleted thing is remembered, so that a dead letter redriven late runs into it. */
const TOMBSTONE = 14 * 24 * HOUR
/** How long a circle remembers who left it: the day that a client may stay away and still resume, and an hour for clocks that differ. */
const ABSENCE = 25 * HOUR

const seconds = (at: string) => Math.floor(Date.parse(at) / 1000)
/** When a tombstone goes, in epoch seconds. @param at when the thing was deleted (RFC 3339) */
export const tombstoneUntil = (at: string): number => seconds(at) + TOMBSTONE
/** When a circle forgets who left it, in epoch seconds. @param at when they left (RFC 3339) */
export const absenceUntil = (at: string): number => seconds(at) + ABSENCE
