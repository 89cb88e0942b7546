import { rules } from '../../contracts/declare/actor.ts'
import { timelines } from '../../contracts/timelines.ts'
import type { ActorCode } from '../kernel/authoring/actor-code.ts'
import hearings from './handlers.ts'

export const code: ActorCode = { declaration: timelines, rules: rules(timelines, { decide: {}, apply: {}, answer: {} }), hearings }
