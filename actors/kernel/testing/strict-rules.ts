import type { z } from 'zod'
import type { AnyCommand } from '../../../contracts/declare/messages.ts'
import type { Place } from '../../../contracts/declare/records.ts'
import { isRefusal } from '../../../contracts/declare/rules.ts'
import type { ActorCode } from '../authoring/implement.ts'

/** Reads a value as the contract has it. @throws when the contract does not allow it: then the rule that made it fails the test */
export const strictly = (schema: z.ZodType, value: unknown, what: string): unknown => {
  const result = schema.safeParse(value)
  if (!result.success) throw new Error(`${what} is against the contract: ${result.error.message}`)
  return result.data
}
export const placeName = ({ table, pk, sk }: Place): string => `${table}|${pk}|${sk}`

const each = <F>(rules: Readonly<Record<string, F>>, wrap: (rule: F, type: string) => F): Readonly<Record<string, F>> =>
  Object.fromEntries(Object.entries(rules).map(([type, rule]) => [type, wrap(rule, type)]))

/** The rules of one command, held against the contract: its refusals, events, states and answers. */
export const strictRules = (code: ActorCode, type: string, command: AnyCommand): ActorCode['rules'] => ({
  decide: each(code.rules.decide, rule => (state, message, loaded) => {
    const decision = rule(state, message, loaded)
    if (!isRefusal(decision))
      return decision.map(event => {
        const declared = code.declaration.events[event.type]
        if (!declared) throw new Error(`${code.declaration.name} does not declare ${event.type}`)
        return { type: event.type, data: strictly(declared.data, event.data, event.type) }
      })
    if (!command.refuses.includes(decision.refused)) throw new Error(`${type} does not declare ${decision.refused}`)
    return decision
  }),
  apply: each(code.rules.apply, (rule, event) => (state, applied) => {
    const change = rule(state, applied)
    return { ...change, state: strictly(command.on.value, change.state, `the state after ${event}`) }
  }),
  answer: each(code.rules.answer, rule => (state, message, loaded) => {
    const answer = rule(state, message, loaded)
    const shape = command.answer[answer.status as keyof typeof command.answer]
    if (!shape) throw new Error(`${type} does not declare ${answer.status}`)
    return { ...answer, body: strictly(shape, answer.body, type) }
  }),
})
