import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Client, type MeshClient, meet } from '../contracts/client/client.ts'
import type { Exchange } from '../contracts/client/http.ts'
import { expected, type Role, roles, statuses } from '../contracts/derive/access/access.ts'
import type { Route } from '../contracts/derive/routes.ts'
import { ProblemDocument } from '../contracts/edge.ts'
import { mesh as product } from '../contracts/mesh.ts'
import { startMesh } from '../deploy/embedded/mesh.ts'
import { befriend, join } from './people.ts'
import { sampleFor } from './sample.ts'
import { until } from './until.ts'

/** Who sees what: every route of the mesh, driven as every role against a mesh that runs, compared with the access table. */

type Callers = Readonly<Record<Exclude<Role, 'owner'>, Client>>
type World = { readonly owner: Client; readonly postId: string }

let running: Awaited<ReturnType<typeof startMesh>>
let mesh: MeshClient
let callers: Callers

beforeAll(async () => {
  running = await startMesh({ port: 0, settings: { LOG_LEVEL: 'silent' }, logTo: { write: () => undefined } })
  mesh = await meet(running.url)
  callers = {
    commenter: await join(mesh, 'Commenter'),
    friend: await join(mesh, 'Friend'),
    stranger: await join(mesh, 'Stranger'),
    blocked: await join(mesh, 'Blocked'),
    blocker: await join(mesh, 'Blocker'),
    unknown: await join(mesh, 'Unknown'),
    anonymous: mesh.anonymous(),
  }
}, 60_000)
afterAll(() => running?.stop(), 30_000)

/** A new owner whom everybody stands to as their role says. Those behind a block were friends once: what they saw then must be gone, too. */
const world = async (posts: boolean): Promise<World> => {
  const owner = await join(mesh, 'Owner')
  const { commenter, friend, blocked, blocker } = callers
  for (const other of [commenter, friend, blocked, blocker]) await befriend(owner, other)
  const { id: postId } = posts ? await owner.send('post.publish', { title: 'Today', content: 'A day' }) : { id: '' }
  await owner.send('user.block', { userId: blocked.userId })
  await blocker.send('user.block', { userId: owner.userId })
  return { owner, postId }
}

/** What the path of a route names. For `unknown` it never existed: another author's id in the place of the real one's. */
const target = async ({ owner, postId }: World, route: Route, role: Role) => {
  const nobody = crypto.randomUUID()
  const content = 'to be edited or deleted'
  const { id: commentId } = route.path.includes('{commentId}')
    ? await callers.commenter.send('comment.add', { postId, content })
    : { id: '' }
  const { userId } = owner
  const names = (id: string) => route.path.includes(`{${id}}`)
  const job = names('jobId') ? await owner.send('job.add', { userId, title: 'Smith', company: 'Forge' }) : undefined
  const education = names('educationId') ? await owner.send('education.add', { userId, institution: 'School', degree: 'Some' }) : undefined
  const exists = { userId, postId, commentId, jobId: job?.id ?? '', educationId: education?.id ?? '', id: 'none' }
  return role !== 'unknown' ? exists : { ...exists, userId: nobody, postId: postId.replace(owner.userId, nobody) }
}

/** A notification of the owner's: somebody accepted them, or asked. */
const notificationOf = ({ owner }: World) =>
  until('a notification of the owner', async () => (await owner.ask('notification.list', {})).items[0]?.id)

const codeOf = (answer: Exchange) => (answer.status < 400 ? 'ok' : ProblemDocument.parse(JSON.parse(answer.text)).code)
/** An answer without what is each request's own: its id, the budget that is left, the time, and the ids that the caller named. */
const withoutIds = ({ status, headers, text }: Exchange, named: Readonly<Record<string, unknown>>) => {
  const own = ['date', 'x-request-id', 'ratelimit', 'content-length']
  const body = Object.entries(named).reduce((t, [name, value]) => t.replaceAll(String(value), `<${name}>`), text)
  return {
    status,
    headers: [...headers].filter(([name]) => !own.includes(name)).map(([name, value]) => `${name}: ${value}`),
    body: body.replace(/"instance":"[^"]*"/, '"instance":""'),
  }
}

// the roles that change something come last
const inOrder = [...roles].reverse()

describe('who sees what', () => {
  test.each(product.routes.map(r => [`${r.method} ${r.path}`, r] as const))(
    '%s',
    async (_, route) => {
      const here = await world(route.type !== 'post.publish')
      const hidden = new Map<Role, ReturnType<typeof withoutIds>>()
      const seen: Record<string, string> = {}
      const due: Record<string, string> = {}
      const more = route.type === 'notification.read' ? { upTo: await notificationOf(here) } : {}
      for (const role of inOrder) {
        const caller = role === 'owner' ? here.owner : callers[role]
        const data = { ...sampleFor(route, await target(here, route, role)), ...more }
        const answer = await caller.exchange(route.type, data)
        const told = codeOf(answer)
        const may = expected(route, role)
        // a refusal is told by its code, an answer by being one that the route declares
        seen[role] = `${answer.status} ${told}`
        due[role] =
          may.includes(told) && statuses(product, route, role).includes(answer.status)
            ? seen[role]
            : `${statuses(product, route, role)} ${may}`
        if (told === 'not-found') hidden.set(role, withoutIds(answer, data))
      }
      expect(seen).toEqual(due)
      // nobody can tell a thing that is hidden from one that never was
      const never = hidden.get('unknown')
      for (const [role, answer] of hidden) expect({ role, ...answer }).toEqual({ role, ...never })
    },
    60_000,
  )
})
