import exec from 'k6/execution'
import type { Options } from 'k6/options'
import { Post } from '../../contracts/posts.ts'
import { type Ear, listen } from '../k6/ear.ts'
import { delivered, due, lost, published, seen, visible } from '../k6/metrics.ts'
import { type Gathering, gather, type Person } from '../k6/people.ts'
import { round } from '../k6/round.ts'
import { say } from '../k6/say.ts'
import { size } from '../k6/settings.ts'
import { summary } from '../k6/summary.ts'
import { SETUP, SHOWN, thresholds } from '../k6/thresholds.ts'
import { scroll, shows } from '../k6/timeline.ts'
import { pause } from '../k6/wait.ts'

/**
 * The daily moment: everybody is connected, and everybody posts within two minutes, at a rate of arrivals that waits for nobody. Each author's circle must
 * see each post, on the timeline at once and on every socket.
 */
const CIRCLE = 6
const SEEN_MS = 10_000
/** Sockets of one virtual user. */
const EARS = 20
/** Until everybody's socket is open. */
const LISTENING_S = 5
const { vus, people: count, seconds } = size({ vus: 30, people: 240, seconds: 120 })
const listeners = Math.ceil(count / EARS)

export const options: Options = {
  scenarios: {
    authors: {
      executor: 'constant-arrival-rate',
      exec: 'author',
      startTime: `${LISTENING_S}s`,
      duration: `${seconds}s`,
      rate: count,
      timeUnit: `${seconds}s`,
      preAllocatedVUs: vus,
      gracefulStop: '40s',
    },
    listeners: {
      executor: 'per-vu-iterations',
      exec: 'listener',
      vus: listeners,
      iterations: 1,
      maxDuration: `${LISTENING_S + seconds + 60}s`,
    },
  },
  setupTimeout: SETUP,
  summaryTrendStats: SHOWN,
  thresholds: { ...thresholds({ 'post.publish': 2_000, 'timeline.get': 1_000 }, 2_000), dropped_iterations: ['count<1'] },
}

export const setup = () => gather(count, CIRCLE)

/** One person posts; a friend's timeline must show it, though that friend is connected elsewhere. */
export const author = round(async ({ people }: Gathering) => {
  const me = people[exec.scenario.iterationInTest]
  if (!me) return
  const friend = people.find(person => person.circle === me.circle && person.id !== me.id)
  const { id } = await say(me, 'post.publish', { title: 'This morning', content: String(Date.now()) })
  published.add(1)
  const since = Date.now()
  if (friend) delivered('timeline', since, await shows(friend, id, SEEN_MS))
})

/** The sockets of some of the people, from before the first post until after the last. */
export const listener = async ({ stream, people }: Gathering): Promise<void> => {
  const first = exec.scenario.iterationInTest * EARS
  const until = exec.scenario.startTime + (LISTENING_S + seconds) * 1000 + SEEN_MS
  await Promise.all(
    people.slice(first, first + EARS).map(person => {
      const friends = people.filter(other => other.circle === person.circle && other.id !== person.id).length
      return listens({ stream, person, friends, until })
    }),
  )
}

/** Whose ear, how many friends will post, and how long to wait for them (epoch ms). */
type Listening = { readonly stream: string; readonly person: Person; readonly friends: number; readonly until: number }

/**
 * Listens until all friends have posted, or until the end; then whatever the timeline shows must have been heard. A socket that was lost is opened again,
 * and the timeline read: so the mesh asks for it when it does not remember what happened meanwhile.
 */
const listens = round(async ({ stream, person, friends, until }: Listening) => {
  const known = new Set<string>()
  const connect = async (): Promise<Ear> => {
    const ear = await listen(stream, person, (what, data) => hear(what, data))
    for (const id of await scroll(person, 100)) known.add(id)
    return ear
  }
  const hear = (what: string, data: unknown) => {
    if (!what.startsWith('post.published ')) return
    const { id, author, content } = Post.parse(data)
    if (author.id === person.id || known.has(id)) return
    known.add(id)
    // the reply came to another virtual user, so the time runs from when the author sent it
    visible.add(Date.now() - Number(content), { by: 'socket' })
  }
  let ear = await connect()
  try {
    while (known.size < friends && Date.now() < until) {
      await pause(200)
      if (!ear.open()) ear = await connect()
    }
    for (const id of await scroll(person, 100)) {
      due.add(1)
      if (known.has(id)) seen.add(1)
      else lost.add(1, { by: 'socket' })
    }
  } finally {
    ear.close()
  }
})

export const handleSummary = summary('morning-rush', `${count} people post in ${seconds} s, each seen by ${CIRCLE - 1} friends`)
