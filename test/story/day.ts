import type { Client, MeshClient } from '../../contracts/client/client.ts'
import { ProblemError } from '../../contracts/client/http.ts'
import { causation, drawn } from '../../deploy/mesh-cli/tree.ts'
import { join } from '../people.ts'
import type { PushService } from '../push-service.ts'
import { soon } from '../until.ts'
import { type Ears, listen } from './ears.ts'
import { phonesRing, subscribePhones } from './pushes.ts'
import type { Teller } from './teller.ts'
import { spansOf, traced } from './traces.ts'

/** The code that something was refused with, or `done`. */
const refusal = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'done'
  } catch (error) {
    if (error instanceof ProblemError) return `${error.status} ${error.code}`
    throw error
  }
}
const names = (people: readonly { firstName: string }[]) => people.map(p => p.firstName)

type Cast = { readonly ana: Client; readonly ben: Client; readonly chi: Client; readonly dee: Client; readonly eve: Client }
type Devices = { readonly [P in keyof Cast]: Ears }

const signUp = async (mesh: MeshClient, { scene, tell }: Teller): Promise<Cast> => {
  scene('Five people sign up and begin their profiles')
  const [ana, ben, chi, dee, eve] = await Promise.all([
    join(mesh, 'Ana', 'Silva', 'Europe/Lisbon'),
    join(mesh, 'Ben', 'Novak', 'Europe/Berlin'),
    join(mesh, 'Chi', 'Tanaka', 'Asia/Tokyo'),
    join(mesh, 'Dee', 'Moore', 'America/New_York'),
    join(mesh, 'Eve', 'Stranger'),
  ])
  tell('Ana, Ben, Chi, Dee and Eve have signed up through the Cognito protocol; each opens a device that listens.')
  return { ana, ben, chi, dee, eve }
}

const becomeFriends = async ({ ana, ben, chi, dee }: Cast, ears: Devices, { scene, same, comes, tell }: Teller) => {
  scene('They become friends')
  same('Ana asks Ben', await ana.send('friend.request', { userId: ben.userId }), { status: 'pending' })
  await comes(
    'Ben hears of it on his socket',
    ears.ben.hears('friend.requested', d => d.user.id === ana.userId),
  )
  same('Ben accepts', await ben.send('friend.accept', { userId: ana.userId }), { status: 'friends' })
  await comes(
    'Ana hears of it on hers',
    ears.ana.hears('friend.accepted', d => d.user.id === ben.userId),
  )
  await ana.send('friend.request', { userId: chi.userId })
  same('Ana and Chi ask each other: that makes them friends', await chi.send('friend.request', { userId: ana.userId }), {
    status: 'friends',
  })
  await dee.send('friend.request', { userId: ana.userId })
  await ana.send('friend.accept', { userId: dee.userId })
  const { items } = await ana.ask('friend.list', { userId: 'me' })
  same('Ana’s friends are Ben, Chi and Dee', names(items).sort(), ['Ben', 'Chi', 'Dee'])
  tell('Eve is nobody’s friend.')
}

const publish = async ({ ana, ben, chi, dee }: Cast, ears: Devices, { scene, same, comes, tell }: Teller) => {
  scene('Ana publishes the post of her day')
  const request = `story-${crypto.randomUUID()}`
  const began = performance.now()
  const post = await ana.send(
    'post.publish',
    { title: 'A quiet morning', content: 'Read a paper before breakfast.' },
    { headers: traced(request) },
  )
  tell(`“${post.title}”, ${post.day}: answered after ${(performance.now() - began).toFixed(0)} ms`)
  let allHeard = true
  for (const [name, reader, device] of [
    ['Ben', ben, ears.ben],
    ['Chi', chi, ears.chi],
    ['Dee', dee, ears.dee],
  ] as const) {
    const { items, covers } = await reader.ask('timeline.get', {})
    same(`${name} sees it in the timeline`, { ids: items.map(p => p.id), complete: covers.complete }, { ids: [post.id], complete: true })
    const heard = await comes(
      `${name} hears it on the socket`,
      device.hears('post.published', p => p.id === post.id && p.title === post.title),
    )
    allHeard &&= heard
  }
  if (allHeard) tell(`The last of them had heard it ${(performance.now() - began).toFixed(0)} ms after Ana began.`)
  const again = ana.send('post.publish', { title: 'One more', content: 'It was such a day.' })
  same('A second post that day is refused', await refusal(again), '409 already-posted-today')
  return { post, request }
}

const respond = async (postId: string, { ana, ben, chi }: Cast, ears: Devices, { scene, same, comes }: Teller) => {
  scene('Ben likes it, Chi comments')
  const liked = { status: 200, body: { liked: true, likeCount: 1 } }
  const like = () => soon('the socket answers post.like', ears.ben.stream.send('post.like', { postId }))
  same('Ben likes it over his socket', await like(), liked)
  same('… and once more: it is one like', await like(), liked)
  await comes(
    'Ana hears who likes it',
    ears.ana.hears('post.liked', d => d.user.id === ben.userId && d.likeCount === 1),
  )
  const key = crypto.randomUUID()
  const comment = await chi.send('comment.add', { postId, content: 'Which paper?' }, { key })
  const repeated = await chi.send('comment.add', { postId, content: 'Which paper?' }, { key })
  same('Chi comments; the same request again is the same comment', repeated, comment)
  await comes(
    'Ana hears it',
    ears.ana.hears('comment.added', d => d.comment.content === 'Which paper?' && d.comment.author.firstName === 'Chi'),
  )
  const slip = await chi.send('comment.add', { postId, content: 'Wich paper?' })
  await chi.send('comment.delete', { postId, commentId: slip.id })
  await comes(
    'Chi takes a comment back; Ana hears that, too',
    ears.ana.hears('comment.deleted', d => d.comment === slip.id && d.commentCount === 1),
  )
  const { likeCount, commentCount, liked: byAna } = await ana.ask('post.get', { postId })
  same('The post counts one like and one comment', { likeCount, commentCount, byAna }, { likeCount: 1, commentCount: 1, byAna: false })
}

const readInbox = async (postId: string, { ana, ben, chi }: Cast, ears: Devices, { scene, same, comes }: Teller) => {
  scene('Ana looks into her inbox')
  const isAbout = (type: string, userId: string) => (n: { type: string; user: { id: string } | null; postId: string | null }) =>
    n.type === type && n.user?.id === userId && n.postId === postId
  await comes('Her device heard of Ben’s like', ears.ana.hears('notification.created', isAbout('post.liked', ben.userId)))
  await comes('… and of Chi’s comment', ears.ana.hears('notification.created', isAbout('comment.added', chi.userId)))
  const { items } = await ana.ask('notification.list', { unread: 'true' })
  const [likes, comments] = [items.filter(n => n.type === 'post.liked'), items.filter(n => n.type === 'comment.added')]
  same(
    'Each of them stands there once, unread',
    [likes.map(n => n.user?.firstName), comments.map(n => n.user?.firstName)],
    [['Ben'], ['Chi']],
  )
  same('She reads it all', await ana.send('notification.read', { upTo: items[0]?.id ?? '' }), { unreadCount: 0 })
  await comes(
    'Her device drops the badge',
    ears.ana.hears('notification.read', d => d.unreadCount === 0),
  )
  same('Nothing is unread any more', (await ana.ask('notification.list', { unread: 'true' })).unreadCount, 0)
}

const strangerSeesNothing = async (postId: string, { ana, eve }: Cast, ears: Devices, { scene, same }: Teller) => {
  scene('Eve, a stranger, sees nothing')
  same('Her timeline is empty', (await eve.ask('timeline.get', {})).items, [])
  same('The post does not exist for her', await refusal(eve.ask('post.get', { postId })), '404 not-found')
  same('… nor can she like it', await refusal(eve.send('post.like', { postId })), '404 not-found')
  same('Ana’s archive is for friends', await refusal(eve.ask('post.list', { userId: ana.userId })), '403 not-a-friend')
  same('Her device heard nothing', ears.eve.heard, [])
}

const renameAndBlock = async (postId: string, { ana, ben, chi, dee }: Cast, ears: Devices, { scene, same, comes }: Teller) => {
  scene('A rename and a block show at once')
  await ben.send('user.edit', { firstName: 'Benjamin' })
  same('Ben is Benjamin among the likes', names((await ana.ask('like.list', { postId })).items), ['Benjamin'])
  same('… and among Ana’s friends', names((await ana.ask('friend.list', { userId: 'me' })).items).includes('Benjamin'), true)
  await comes(
    'Ana’s device hears it',
    ears.ana.hears('user.updated', d => d.user.firstName === 'Benjamin'),
  )

  await ana.send('user.block', { userId: dee.userId })
  same('Ana blocks Dee: the post is gone from Dee’s timeline', (await dee.ask('timeline.get', {})).items, [])
  same('… does not exist for her', await refusal(dee.ask('post.get', { postId })), '404 not-found')
  same('… and neither does Ana', await refusal(dee.ask('user.get', { userId: ana.userId })), '404 not-found')
  same('Ana’s friends are Benjamin and Chi', names((await ana.ask('friend.list', { userId: 'me' })).items).sort(), ['Benjamin', 'Chi'])
  const before = ears.dee.heard.length
  await chi.send('post.like', { postId })
  await comes(
    'Ana hears that Chi likes it',
    ears.ana.hears('post.liked', d => d.user.id === chi.userId && d.likeCount === 2),
  )
  const since = ears.dee.heard.slice(before).filter(e => e.type !== 'friend.removed')
  same('Dee’s device hears no more of it', since, [])
}

const searchPinMute = async (postId: string, { ana, ben, chi }: Cast, { scene, same }: Teller) => {
  scene('Chi looks people up, pins a post, and mutes for a while')
  same(
    'Chi finds Ana, whose name she types in capitals',
    names((await chi.ask('user.find', { name: 'ANA S' })).items).includes('Ana'),
    true,
  )
  const { userId } = ana
  await ana.send('job.add', { userId: 'me', title: 'Editor', company: 'The Morning', startDate: '2021-03' })
  same(
    'Ana’s job stands in her profile',
    (await chi.ask('job.list', { userId })).items.map(j => j.title),
    ['Editor'],
  )
  await ben.send('post.pin', { postId })
  same('Ben has pinned Ana’s post', (await ben.ask('post.get', { postId })).pinned, true)
  await chi.send('user.mute', { userId })
  same('Chi mutes Ana: the post leaves her timeline', (await chi.ask('timeline.get', {})).items, [])
  await chi.send('user.unmute', { userId })
  same(
    '… and comes back with her',
    (await chi.ask('timeline.get', {})).items.map(p => p.id),
    [postId],
  )
}

const traceOf = async (operations: string | undefined, request: string, { scene, tell, plain, comes, dim }: Teller) => {
  scene('What Ana’s publishing set off')
  if (operations === undefined)
    return tell('Traces stand on the operations address: name it (--operations), or the data directory of the mesh (--data).')
  const heard = spansOf(operations, request, spans => ['edge', 'posts', 'timelines'].every(actor => spans.some(s => s.actor === actor)))
  await comes(`request ${request} left its spans`, heard)
  for (const line of drawn(causation(await heard.catch(() => [])), dim)) plain(`            ${line}`)
}

/** A day in the life: plays the product through its public interfaces, and checks what people would notice. */
export const playDay = async (
  mesh: MeshClient,
  { operations, pushes }: { readonly operations: string | undefined; readonly pushes: PushService | undefined },
  teller: Teller,
): Promise<void> => {
  const cast = await signUp(mesh, teller)
  const { ana, ben, chi, dee, eve } = cast
  const [a, b, c, d, e] = await Promise.all([listen(ana), listen(ben), listen(chi), listen(dee), listen(eve)])
  const ears: Devices = { ana: a, ben: b, chi: c, dee: d, eve: e }
  try {
    await becomeFriends(cast, ears, teller)
    const phones = pushes && (await subscribePhones(ana, pushes, teller))
    const { post, request } = await publish(cast, ears, teller)
    await respond(post.id, cast, ears, teller)
    await readInbox(post.id, cast, ears, teller)
    if (phones) await phonesRing(ana, phones, teller)
    else teller.tell('Pushes are shown on a mesh that the story starts: this one was told of no push service to call for it.')
    await strangerSeesNothing(post.id, cast, ears, teller)
    await searchPinMute(post.id, cast, teller)
    await renameAndBlock(post.id, cast, ears, teller)
    // What it is told again has the same id, and is shown once.
    for (const [name, { losses }] of Object.entries(ears))
      if (losses() > 0) teller.tell(`The device of ${name} lost its connection, or was told to catch up, ${losses()} times.`)
    const steady = Object.values(ears).filter(device => device.losses() === 0)
    const doubled = steady.flatMap(device => [...device.raw].filter(([, times]) => times > 1))
    teller.same('No device that stayed connected heard anything twice', doubled, [])
    teller.same(
      '… or anything that the contract does not know',
      Object.values(ears).flatMap(device => device.nonsense),
      [],
    )
    await traceOf(operations, request, teller)
  } finally {
    for (const device of Object.values(ears)) device.stream.close()
  }
}
