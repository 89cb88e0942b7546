import exec from 'k6/execution'
import type { Options } from 'k6/options'
import { type Ear, listen } from '../k6/ear.ts'
import { delivered, published } from '../k6/metrics.ts'
import { type Gathering, gather, type Person } from '../k6/people.ts'
import { round } from '../k6/round.ts'
import { say } from '../k6/say.ts'
import { size } from '../k6/settings.ts'
import { summary } from '../k6/summary.ts'
import { SETUP, SHOWN, thresholds } from '../k6/thresholds.ts'
import { scroll } from '../k6/timeline.ts'
import { pause } from '../k6/wait.ts'

/**
 * Bad reception: devices connect, hear a post, are gone while it is deleted, come back and ask what they missed, all the time. Whatever happens while they
 * are connected they must hear; of what happened while they were not, the mesh must tell them, or tell them to reload.
 */
const DEVICES = 3
const SEEN_MS = 10_000
const { vus, seconds } = size({ vus: 20, people: 40, seconds: 60 })

export const options: Options = {
  scenarios: { devices: { executor: 'constant-vus', vus, duration: `${seconds}s`, gracefulStop: '30s' } },
  setupTimeout: SETUP,
  summaryTrendStats: SHOWN,
  thresholds: {
    ...thresholds({ 'post.publish': 2_000, 'post.delete': 2_000, 'timeline.get': 1_000 }, 2_000),
    time_to_hello: ['p(95)<2000'],
    sockets_dropped: ['count<1'],
  },
}

export const setup = () => gather(vus * 2, 2)

/** @returns the post, and how far the first device has heard */
const hearAPost = async (author: Person, devices: readonly Ear[]) => {
  const { id } = await say(author, 'post.publish', { title: 'On the train', content: 'Reception is bad here' })
  published.add(1)
  const since = Date.now()
  await Promise.all(devices.map(async device => delivered('socket', since, await device.hears(`post.published ${id}`, SEEN_MS))))
  return { id, position: devices[0]?.position() ?? '' }
}

export default round(async ({ stream, people }: Gathering) => {
  const [author, friend] = people.filter(person => person.circle === exec.vu.idInTest - 1)
  if (!author || !friend) throw new Error(`virtual user ${exec.vu.idInTest} has nobody`)
  const devices = await Promise.all(Array.from({ length: DEVICES }, () => listen(stream, friend)))
  const { id, position } = await hearAPost(author, devices).finally(() => {
    for (const device of devices) device.close()
  })

  await say(author, 'post.delete', { postId: id })

  const back = await listen(stream, friend)
  try {
    const answer = await back.resume(position)
    if (answer === 'reset' && (await scroll(friend, 20)).includes(id)) throw new Error(`the timeline still shows ${id}, deleted before`)
    if (answer === 'resumed' && !back.heard.has(`post.deleted ${id}`)) throw new Error(`who resumed was not told that ${id} was deleted`)
    if (answer === undefined) throw new Error('a resume was not answered')
  } finally {
    back.close()
  }
  // two writes a round, within the 20 a second that the mesh gives a person
  await pause(100 + Math.random() * 100)
})

export const handleSummary = summary('socket-storm', `${vus} people with ${DEVICES} devices each connect, drop and come back`)
