import exec from 'k6/execution'
import type { Options } from 'k6/options'
import { due, lost, published, seen } from '../k6/metrics.ts'
import { type Gathering, gather } from '../k6/people.ts'
import { round } from '../k6/round.ts'
import { say } from '../k6/say.ts'
import { size } from '../k6/settings.ts'
import { summary } from '../k6/summary.ts'
import { SETUP, SHOWN, thresholds } from '../k6/thresholds.ts'
import { scroll } from '../k6/timeline.ts'
import { inBatches, pause } from '../k6/wait.ts'

/** People who all are friends, all of whom have posted, scroll their timelines to the end, page by page, over and over. Every post must be there, once. */
const PAGE = 5
const { vus, people: count, seconds } = size({ vus: 10, people: 24, seconds: 60 })

export const options: Options = {
  scenarios: { readers: { executor: 'constant-vus', vus, duration: `${seconds}s`, gracefulStop: '30s' } },
  setupTimeout: SETUP,
  summaryTrendStats: SHOWN,
  thresholds: thresholds({ 'timeline.get': 1_000 }, 5_000),
}

type Posted = Gathering & { readonly posts: readonly { readonly id: string; readonly by: string }[] }
export const setup = async (): Promise<Posted> => {
  const gathering = await gather(count, count)
  const posts = await inBatches(gathering.people, 8, async person => {
    const { id } = await say(person, 'post.publish', { title: 'Today', content: 'A day like any other' })
    published.add(1)
    return { id, by: person.id }
  })
  return { ...gathering, posts }
}

export default round(async ({ people, posts }: Posted) => {
  const reader = people[(exec.vu.idInTest - 1 + exec.vu.iterationInScenario * vus) % people.length]
  if (!reader) throw new Error('nobody is here')
  const shown = await scroll(reader, PAGE, () => pause(100 + Math.random() * 200))
  if (new Set(shown).size !== shown.length) throw new Error(`the timeline of ${reader.id} shows a post twice`)
  for (const { id } of posts.filter(post => post.by !== reader.id)) {
    due.add(1)
    if (shown.includes(id)) seen.add(1)
    else lost.add(1, { by: 'timeline' })
  }
})

export const handleSummary = summary('timeline-scroll', `${vus} of ${count} friends scroll at once, ${PAGE} posts a page`)
