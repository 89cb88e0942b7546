import { describe, expect, test } from 'vitest'
import { mesh } from '../../mesh.ts'
import { expected, roles, statuses, undeclared } from './access.ts'

const routeOf = (type: string) => {
  const found = mesh.routes.find(r => r.type === type)
  return found ?? notThere(type)
}
const notThere = (type: string): never => {
  throw new Error(`there is no ${type}`)
}
const row = (type: string) => Object.fromEntries(roles.map(role => [role, statuses(mesh, routeOf(type), role).join(' ')]))

describe('the access table', () => {
  test.each(mesh.routes.map(r => [r.type, r] as const))('has an entry for %s, with refusals that the route declares', (_, route) => {
    for (const role of roles) expect(statuses(mesh, route, role).length).toBeGreaterThan(0)
    expect(undeclared(mesh, route)).toEqual([])
  })

  test('is the one of the design', () => {
    const gone = { blocked: '404', blocker: '404', unknown: '404', anonymous: '401' }
    expect(row('user.get')).toEqual({ owner: '200', commenter: '200', friend: '200', stranger: '200', ...gone })
    for (const type of ['job.list', 'education.list']) expect(row(type)).toEqual(row('user.get'))
    const below = { commenter: '403', friend: '403', stranger: '403', ...gone }
    for (const kind of ['job', 'education']) {
      expect(row(`${kind}.add`)).toEqual({ owner: '201', ...below })
      expect(row(`${kind}.edit`)).toEqual({ owner: '200', ...below })
      expect(row(`${kind}.remove`)).toEqual({ owner: '204', ...below })
    }
    expect(row('post.list')).toEqual({ owner: '200', commenter: '200', friend: '200', stranger: '403', ...gone })
    expect(row('post.get')).toEqual({ owner: '200', commenter: '200', friend: '200', stranger: '404', ...gone })
    expect(row('post.delete')).toEqual({ owner: '204', commenter: '403', friend: '403', stranger: '404', ...gone })
    expect(row('comment.edit')).toEqual({ owner: '403', commenter: '200', friend: '403', stranger: '404', ...gone })
    expect(row('comment.delete')).toEqual({ owner: '204', commenter: '204', friend: '403', stranger: '404', ...gone })
    expect(row('user.block')).toMatchObject({ owner: '422', stranger: '204', blocked: '204', blocker: '204', unknown: '404' })
    expect(row('user.mute')).toMatchObject({ owner: '422', friend: '204', stranger: '204', ...gone })
    expect(row('user.unmute')).toMatchObject({ owner: '204', blocked: '204', unknown: '204' })
    expect(row('user.me')).toMatchObject({ owner: '200', anonymous: '401' })
  })

  test('refuses to guess about a message between two people that it does not know', () => {
    const { between: _, ...unsaid } = mesh.commands.get('friend.request')?.command ?? notThere('friend.request')
    expect(() => expected({ type: 'friend.poke', spec: unsaid }, 'friend')).toThrow('friend.poke')
  })
})
