import type { Commands, Queries } from '../../contracts/mesh.ts'

/**
 * Where each message and question of the contract is held against what it should do: `model`, by the random programs of `sequences.test.ts`; `mesh`: it is the
 * mesh's own, no client can send it; otherwise in the test that is named. A new one does not compile until it stands here.
 */
export const COVERAGE: Readonly<Record<keyof Commands | keyof Queries, 'model' | 'mesh' | `${string}.test.ts`>> = {
  'user.register': 'mesh',
  'user.replace': 'model',
  'user.edit': 'model',
  'user.me': 'model',
  'user.get': 'model',
  'friend.request': 'model',
  'friend.accept': 'model',
  'friend.withdraw': 'model',
  'friend.remove': 'model',
  'friend.list': 'model',
  'friend.requests': 'model',
  'user.block': 'model',
  'user.unblock': 'model',
  'block.list': 'model',
  'post.publish': 'model',
  'post.edit': 'model',
  'post.delete': 'model',
  'post.sweep': 'mesh',
  'post.get': 'model',
  'post.list': 'model',
  'post.today': 'model',
  'post.like': 'model',
  'post.unlike': 'model',
  'like.list': 'model',
  'comment.add': 'model',
  'comment.edit': 'model',
  'comment.delete': 'model',
  'comment.list': 'model',
  'timeline.get': 'model',
  'push.subscribe': 'actors/push/rules.test.ts',
  'push.unsubscribe': 'actors/push/rules.test.ts',
  'push.expire': 'mesh',
  'push.prefer': 'actors/push/rules.test.ts',
  'push.key': 'actors/push/views.test.ts',
  'push.subscriptions': 'actors/push/views.test.ts',
  'push.preferences': 'actors/push/views.test.ts',
}
