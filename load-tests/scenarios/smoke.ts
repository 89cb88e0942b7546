import exec from 'k6/execution'
import type { Options } from 'k6/options'
import { type Ear, listen } from '../k6/ear.ts'
import { delivered, published } from '../k6/metrics.ts'
import { type Gathering, gather } from '../k6/people.ts'
import { round } from '../k6/round.ts'
import { missing, say } from '../k6/say.ts'
import { size } from '../k6/settings.ts'
import { summary } from '../k6/summary.ts'
import { SETUP, SHOWN, thresholds } from '../k6/thresholds.ts'
import { shows } from '../k6/timeline.ts'
import { pause } from '../k6/wait.ts'

/**
 * Does it work at all? In circles of three, one publishes and the two others, connected, see, like and discuss it; then it is deleted and the next
 * round begins. All of it while others do the same.
 */
const CIRCLE = 3
const SEEN_MS = 10_000
const { vus, seconds } = size({ vus: 2, people: 2 * CIRCLE, seconds: 15 })

export const options: Options = {
  scenarios: { smoke: { executor: 'constant-vus', vus, duration: `${seconds}s`, gracefulStop: '30s' } },
  setupTimeout: SETUP,
  summaryTrendStats: SHOWN,
  // wide ones: the machines of CI are busy with other things, while a lost post is a lost post anywhere
  thresholds: thresholds(
    {
      'post.publish': 3_000,
      'post.like': 3_000,
      'comment.add': 3_000,
      'post.edit': 3_000,
      'post.delete': 3_000,
      'timeline.get': 3_000,
      'comment.list': 3_000,
    },
    5_000,
  ),
}

export const setup = () => gather(vus * CIRCLE, CIRCLE)

export default round(async ({ stream, people }: Gathering) => {
  const [author, ...friends] = people.filter(person => person.circle === exec.vu.idInTest - 1)
  const [friend, other] = friends
  if (!author || !friend || !other) throw new Error(`virtual user ${exec.vu.idInTest} has no circle`)
  const ears = await Promise.all(friends.map(person => listen(stream, person)))
  try {
    const heardBy = async (ear: Ear, what: string, since: number) => delivered('socket', since, await ear.hears(what, SEEN_MS))
    const post = await say(author, 'post.publish', { title: 'Today I learned', content: 'that a queue is a promise' })
    published.add(1)
    const since = Date.now()
    await Promise.all([
      ...ears.map(ear => heardBy(ear, `post.published ${post.id}`, since)),
      ...friends.map(async reader => delivered('timeline', since, await shows(reader, post.id, SEEN_MS))),
    ])
    const { likeCount } = await say(friend, 'post.like', { postId: post.id })
    const { id } = await say(other, 'comment.add', { postId: post.id, content: 'So is an outbox' })
    const { items } = await say(author, 'comment.list', { postId: post.id })
    if (likeCount !== 1 || !items.some(comment => comment.id === id))
      throw new Error(`${post.id} has not the like and comment that were acknowledged`)
    await say(author, 'post.edit', { postId: post.id, content: 'that a queue is a promise, kept' })
    const edited = Date.now()
    await Promise.all(ears.map(ear => heardBy(ear, `post.edited ${post.id}`, edited)))
    await say(author, 'post.delete', { postId: post.id })
    await missing(friend, 'post.get', { postId: post.id })
  } finally {
    for (const ear of ears) ear.close()
  }
  // four writes a round, within the 20 a second that the mesh gives a person
  await pause(250)
})

export const handleSummary = summary('smoke', `${vus} circles of ${CIRCLE} at once`)
