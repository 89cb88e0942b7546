import { rules } from '../../contracts/actor.ts'
import { timelines } from '../../contracts/timelines.ts'
import type { ActorCode } from '../kernel/code.ts'
import hearings from './effects.ts'

export const code: ActorCode = { declaration: timelines, rules: rules(timelines, { decide: {}, apply: {}, answer: {} }), hearings }
