/**
 * The product in sets and lists, said once more and in another way than the rules say it: what a message must be answered, and what there is afterwards.
 * Everybody lives in UTC.
 */
export type Act =
  | { readonly type: 'user.replace'; readonly by: string }
  | { readonly type: 'user.edit'; readonly by: string }
  | {
      readonly type:
        | 'friend.request'
        | 'friend.accept'
        | 'friend.withdraw'
        | 'friend.remove'
        | 'user.block'
        | 'user.unblock'
        | 'user.mute'
        | 'user.unmute'
      readonly by: string
      readonly other: string
    }
  | { readonly type: 'post.publish'; readonly by: string }
  | {
      readonly type: 'post.edit' | 'post.delete' | 'post.like' | 'post.unlike' | 'post.pin' | 'post.unpin' | 'comment.add'
      readonly by: string
      readonly post: Post
    }
  | { readonly type: 'comment.edit' | 'comment.delete'; readonly by: string; readonly comment: Comment }

export type Post = {
  id: string
  readonly author: string
  readonly at: string
  title: string
  deleted: boolean
  readonly likes: Set<string>
}
type Comment = { id: string; readonly post: Post; readonly by: string; content: string; deleted: boolean }

export const model = () => {
  const profiles = new Set<string>()
  const friends = new Set<string>()
  const requests = new Set<string>()
  const blocks = new Set<string>()
  const mutes = new Set<string>()
  const posts: Post[] = []
  const comments: Comment[] = []
  /** What people have pinned, oldest pin first. */
  let pins: { readonly by: string; readonly post: Post }[] = []

  const from = (a: string, b: string) => `${a}>${b}`
  const either = (set: Set<string>, a: string, b: string) => set.has(from(a, b)) || set.has(from(b, a))
  const forget = (set: Set<string>, a: string, b: string) => set.delete(from(a, b)) || set.delete(from(b, a))
  const hidden = (a: string, b: string) => a !== b && (!profiles.has(b) || either(blocks, a, b))
  const sees = (viewer: string, author: string) => viewer === author || (profiles.has(author) && either(friends, viewer, author))
  const pinned = (by: string) => pins.filter(p => p.by === by && !p.post.deleted).map(p => p.post)
  const livingComments = (post: Post) => comments.filter(c => c.post === post && !c.deleted)

  const betweenTwo = (type: Act['type'], a: string, b: string): number | string => {
    const waits = requests.has(from(b, a))
    const makeFriends = () => {
      requests.delete(from(b, a))
      friends.add(from(a, b))
      return 200
    }
    switch (type) {
      case 'friend.request':
        if (a === b) return 'cannot-befriend-self'
        if (hidden(a, b)) return 'not-found'
        if (either(friends, a, b) || requests.has(from(a, b))) return 200
        if (waits) return makeFriends()
        requests.add(from(a, b))
        return 201
      case 'friend.accept':
        if (hidden(a, b)) return 'not-found'
        return waits ? makeFriends() : 'no-pending-request'
      case 'friend.withdraw':
        forget(requests, a, b)
        return 204
      case 'friend.remove':
        forget(friends, a, b)
        return 204
      case 'user.block':
        if (a === b) return 'cannot-block-self'
        if (!profiles.has(b)) return 'not-found'
        forget(requests, a, b)
        forget(friends, a, b)
        blocks.add(from(a, b))
        return 204
      case 'user.mute':
        if (a === b) return 'cannot-mute-self'
        if (hidden(a, b)) return 'not-found'
        mutes.add(from(a, b))
        return 204
      case 'user.unmute':
        mutes.delete(from(a, b))
        return 204
      default:
        blocks.delete(from(a, b))
        return 204
    }
  }

  /** What the message must be answered: a status or a refusal. @param id what the post or comment that it makes is called */
  const expect = (act: Act, at: string, id: string): number | string => {
    const { by } = act
    if (act.type === 'user.replace') {
      const first = !profiles.has(by)
      profiles.add(by)
      return first ? 201 : 200
    }
    if (!profiles.has(by)) return 'profile-required'
    if (act.type === 'user.edit') return 200
    if ('other' in act) return betweenTwo(act.type, by, act.other)
    if (act.type === 'post.publish') {
      const day = at.slice(0, 10)
      if (posts.some(p => p.author === by && !p.deleted && p.at.slice(0, 10) >= day)) return 'already-posted-today'
      posts.push({ id, author: by, at, title: 'T', deleted: false, likes: new Set() })
      return 201
    }
    const post = 'post' in act ? act.post : act.comment.post
    if (act.type === 'post.unpin') {
      pins = pins.filter(p => p.by !== by || p.post !== post)
      return 204
    }
    if (post.deleted || !sees(by, post.author)) return 'not-found'
    if ('comment' in act) {
      const { comment } = act
      if (comment.deleted || hidden(by, comment.by)) return 'not-found'
      if (comment.by !== by && (act.type === 'comment.edit' || post.author !== by)) return 'not-the-author'
      if (act.type === 'comment.edit') comment.content = `edited at ${at}`
      else comment.deleted = true
      return act.type === 'comment.edit' ? 200 : 204
    }
    switch (act.type) {
      case 'post.edit':
        if (post.author !== by) return 'not-the-author'
        post.title = `edited at ${at}`
        return 200
      case 'post.delete':
        if (post.author !== by) return 'not-the-author'
        post.deleted = true
        return 204
      case 'post.like':
        post.likes.add(by)
        return 200
      case 'post.unlike':
        post.likes.delete(by)
        return 200
      case 'post.pin':
        if (pinned(by).includes(post)) return 204
        if (pinned(by).length >= 10) return 'pin-limit-reached'
        pins.push({ by, post })
        return 204
      case 'comment.add':
        comments.push({ id, post, by, content: 'said', deleted: false })
        return 201
    }
  }

  return {
    expect,
    posts,
    comments,
    hidden,
    knows: (viewer: string, other: string) => profiles.has(other) && !hidden(viewer, other),
    sees,
    livingComments,
    mutes: (a: string, b: string) => mutes.has(from(a, b)),
    pinned,
    friendsOf: (a: string, people: readonly string[]) => people.filter(b => either(friends, a, b)),
    /** How many friends, requests and blocks somebody has, as `counts` has them. */
    counts: (a: string) => ({
      friends: [...friends].filter(f => f.includes(a)).length,
      incoming: [...requests].filter(r => r.endsWith(`>${a}`)).length,
      outgoing: [...requests].filter(r => r.startsWith(`${a}>`)).length,
      blocks: [...blocks].filter(b => b.startsWith(`${a}>`)).length,
      mutes: [...mutes].filter(m => m.startsWith(`${a}>`)).length,
    }),
    relation: (a: string, b: string) => {
      if (blocks.has(from(a, b))) return 'blocked'
      if (either(friends, a, b)) return 'friend'
      return requests.has(from(a, b)) ? 'outgoing' : requests.has(from(b, a)) ? 'incoming' : 'none'
    },
  }
}
export type Model = ReturnType<typeof model>
