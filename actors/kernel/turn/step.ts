import type { EventEnvelope, Reply } from '../../../contracts/declare/envelope.ts'
import type { PageRef, Write } from '../../../contracts/declare/records.ts'
import { type Applied, isRefusal, type Refusal } from '../../../contracts/declare/rules.ts'
import type { ActorCode } from '../authoring/implement.ts'
import { type Command, loadsOf, runRule } from './command.ts'
import { type Items, placeKey } from './items.ts'
import { type Pages, pageKey, type Snapshot } from './load.ts'

/** What one command comes to: the state after it, and its refusal or its events and writes. */
export type StepResult = {
  readonly state: unknown
  readonly refusal: Refusal | undefined
  readonly reply: Reply
  readonly events: readonly EventEnvelope[]
  readonly expiresAt: number | undefined
}

/** The rule of a type. @throws when the actor has none: a fault of the code, which its types do not let through */
const ruleOf = <F>(rules: Readonly<Record<string, F>>, type: string): F => {
  const rule = rules[type]
  if (rule === undefined) throw new TypeError(`there is no rule for ${type}`)
  return rule
}

const readPage = (ref: PageRef, pages: Pages) => {
  const { items = [], more = false } = pages.get(pageKey(ref)) ?? {}
  return { items: items.map(item => ref.record.value.parse(item)), more }
}
/** The values that a command's rules asked for, by name, as the commands before it left them. */
const loadedValues = (command: Command, items: Items, pages: Pages): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(loadsOf(command)).map(([name, ref]) => [
      name,
      ref.kind === 'page' ? readPage(ref, pages) : items.value(ref.record, ref.place),
    ]),
  )

const refusalReply = ({ declaration }: ActorCode, { refused, detail, errors }: Refusal): Reply => ({
  status: declaration.refusals[refused]?.status ?? 500,
  problem: {
    code: refused,
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined ? {} : { errors: [...errors] }),
  },
})

const answer = (code: ActorCode, command: Command, state: unknown, items: Items, pages: Pages): Reply => {
  const rule = ruleOf(code.rules.answer, command.envelope.type)
  const { status, body, version } = rule(state, command.message, loadedValues(command, items, pages))
  return { status, ...(body === undefined ? {} : { body }), ...(version === undefined ? {} : { version }) }
}

/**
 * Runs the rules of one command over a state: what it decides, changes and answers. Pure but for the snapshot's items, which take its writes.
 * @param firstN the number of the command's first event within its turn
 * @param committed when the turn commits, as the rules see it (RFC 3339)
 */
export const runCommand = (
  code: ActorCode,
  { items, pages, place, turnRecord }: Snapshot,
  command: Command,
  before: unknown,
  firstN: number,
  committed: string,
): StepResult => {
  const { envelope, message } = command
  const decision = ruleOf(code.rules.decide, envelope.type)(before, message, loadedValues(command, items, pages))
  if (isRefusal(decision))
    return { state: before, refusal: decision, reply: refusalReply(code, decision), events: [], expiresAt: undefined }
  let state = before
  let expiresAt: number | undefined
  const writes: Write[] = []
  const events = decision.map(({ type, data }, i): EventEnvelope => {
    const n = firstN + i
    const { key, by, at } = envelope
    const applied: Applied<unknown> = { id: `${envelope.id}.${n}`, at, now: committed, by, data }
    const result = ruleOf(code.rules.apply, type)(state, applied)
    state = result.state
    expiresAt = result.expiresAt ?? expiresAt
    writes.push(...(result.writes ?? []))
    const trace = { ...envelope.trace, cause: envelope.id }
    return { v: 1, id: applied.id, type, key, version: turnRecord.version + 1, n, by, at, data, trace }
  })
  for (const write of writes) {
    if (placeKey(write.place) === placeKey(place)) throw new Error('the rule writes its own state as another item')
    items.add(write)
  }
  return { state, refusal: undefined, reply: answer(code, command, state, items, pages), events, expiresAt }
}

/**
 * The replies to commands that were decided before: what their claims keep, else the stored refusal or reply, else the answer from the state as it is
 * stored, before this batch's fresh commands changed it.
 */
export const repeatReplies = (code: ActorCode, { items, pages, place, record, repeats, claimed }: Snapshot): ReadonlyMap<string, Reply> => {
  const answers = repeats.map(({ command, decision }) => {
    const { id } = command.envelope
    const reply =
      claimed.get(id) ??
      runRule(command, () => {
        if (decision.refusal) return refusalReply(code, decision.refusal)
        if (decision.reply) return decision.reply
        const stored = items.asRead()
        return answer(code, command, stored.value(record, place), stored, pages)
      })
    return [id, reply] as const
  })
  return new Map([...claimed, ...answers])
}
