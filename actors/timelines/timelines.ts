import { rules } from '../../contracts/declare/rules.ts'
import { timelines } from '../../contracts/timelines.ts'
import { implement } from '../authoring/authoring.ts'
import { timelineHandlers } from './handlers.ts'
import { timelineViews } from './views.ts'

export const timelinesActor = implement(timelines, () => ({
  rules: rules(timelines, { decide: {}, apply: {}, answer: {} }),
  on: timelineHandlers,
  views: timelineViews,
}))
