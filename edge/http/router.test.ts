import { expect, test } from 'vitest'
import { router } from './router.ts'

const table = router(
  [
    'GET /',
    'GET /v1/users/me',
    'PATCH /v1/users/me',
    'GET /v1/users/{userId}',
    'GET /v1/users/{userId}/friends',
    'DELETE /v1/users/me/friends/{userId}',
    'PUT /v1/posts/{postId}/like',
    'DELETE /v1/posts/{postId}/comments/{commentId}',
  ].map(route => {
    const [method = '', path = ''] = route.split(' ')
    return { method, path, target: route }
  }),
)
const target = (method: string, path: string) => {
  const found = table.find(method, path)
  return found && 'target' in found ? found : undefined
}

test('finds routes with their parameters, literal segments first', () => {
  expect(target('GET', '/v1/users/me')?.target).toBe('GET /v1/users/me')
  expect(target('GET', '/v1/users/someone')).toEqual({ target: 'GET /v1/users/{userId}', params: { userId: 'someone' } })
  expect(target('DELETE', '/v1/posts/p/comments/c')?.params).toEqual({ postId: 'p', commentId: 'c' })
  expect(target('GET', '/')?.target).toBe('GET /')
})

test('goes back to the parameter when the literal leads nowhere', () => {
  expect(target('GET', '/v1/users/me/friends')).toEqual({ target: 'GET /v1/users/{userId}/friends', params: { userId: 'me' } })
})

test('tells the methods of a path, HEAD and OPTIONS included', () => {
  expect(table.find('POST', '/v1/users/me')).toEqual({ allow: ['GET', 'HEAD', 'OPTIONS', 'PATCH'] })
  expect(table.find('GET', '/v1/posts/p/like')).toEqual({ allow: ['OPTIONS', 'PUT'] })
  expect(target('HEAD', '/v1/users/me')?.target).toBe('GET /v1/users/me')
})

test('decodes parameters, and takes no path for another', () => {
  expect(target('PUT', '/v1/posts/a%2Fb%00/like')?.params).toEqual({ postId: 'a/b\0' })
  for (const path of [
    '/v1/posts//like',
    '//v1/users/me',
    '/v1/users/me/',
    '/v1/posts/%ZZ/like',
    '/v1/../v1/users/me',
    '/V1/users/me',
    '',
    'v1',
  ])
    expect(table.find('PUT', path), path).toBeUndefined()
})

test('refuses two routes that are the same', () => {
  const twice = { method: 'GET', path: '/a/{x}', target: 1 }
  expect(() => router([twice, { ...twice, path: '/a/{y}' }])).toThrow('GET /a/{y} is routed twice')
})
