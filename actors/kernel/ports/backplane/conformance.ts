import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Reply } from '../../../../contracts/declare/envelope.ts'
import type { Span } from '../tracing/span.ts'
import type { Backplane, Live } from './port.ts'

export type BackplaneUnderTest = {
  /** A backplane as another process has it. Closing it is that process's death. */
  readonly connect: () => Promise<Backplane>
  /** Lets so much time pass for all of them. */
  readonly pass: (ms: number) => Promise<void>
  readonly close: () => Promise<void>
}

const DEADLINE = { timeout: 10_000, interval: 5 }

/** An edge that remembers what it heard. */
export const listening = () => {
  const replies: [string, Reply][] = []
  const kept: boolean[] = []
  const frames: Live[] = []
  const gaps: number[] = []
  return {
    replies,
    /** Of each reply, whether it is kept elsewhere. */
    kept,
    frames,
    /** Since when it may have missed something, each time that it was told so. */
    gaps,
    listener: {
      reply: (command: string, reply: Reply, stored: boolean) => {
        replies.push([command, reply])
        kept.push(stored)
      },
      live: (frame: Live) => void frames.push(frame),
      missed: (since: number) => void gaps.push(since),
    },
  }
}

/** What the kernel and the edge rely on in every backplane. */
export const backplaneConformance = (name: string, open: () => Promise<BackplaneUnderTest>): void => {
  describe(`backplane: ${name}`, { timeout: 20_000 }, () => {
    let under: BackplaneUnderTest
    /** Of an edge's process, another edge's, and a worker's. */
    let [one, two, worker]: Backplane[] = []
    let names = 0
    beforeAll(async () => {
      under = await open()
      ;[one, two, worker] = await Promise.all([under.connect(), under.connect(), under.connect()])
    })
    afterAll(async () => {
      await Promise.all([one?.close(), two?.close(), worker?.close()])
      await under.close()
    })
    const the = (backplane: Backplane | undefined): Backplane => {
      if (!backplane) throw new Error('not open')
      return backplane
    }
    const named = (what: string) => `${what}-${++names}`
    const done: Reply = { status: 201, body: { text: 'grüße 😀', none: null, list: [1] }, version: 3 }
    const frame = (id: string, ...to: string[]): Live => ({ id, to, type: 'post.liked', at: '2026-03-01T00:00:00.000Z', data: { n: 1 } })

    test('a reply reaches the edge that waits, and no other, and is kept for who asks', async () => {
      const [first, second] = [listening(), listening()]
      const [edge, other, command] = [named('edge'), named('edge'), named('command')]
      const seats = [await the(one).join(edge, first.listener), await the(two).join(other, second.listener)]
      await the(worker).reply(edge, command, done)
      await the(worker).reply(other, named('command'), done)
      await vi.waitFor(() => expect([first.replies.length, second.replies.length]).toEqual([1, 1]), DEADLINE)
      expect(first.replies).toEqual([[command, done]])
      expect(await the(two).replyOf(command)).toEqual(done)
      for (const seat of seats) await seat.leave()
    })

    test('a problem arrives as it was told', async () => {
      const heard = listening()
      const [edge, command] = [named('edge'), named('command')]
      const seat = await the(one).join(edge, heard.listener)
      const refusal: Reply = {
        status: 422,
        problem: { code: 'invalid', detail: 'no', errors: [{ pointer: '/text', message: 'is empty' }] },
      }
      await the(worker).reply(edge, command, refusal)
      await vi.waitFor(() => expect(heard.replies).toEqual([[command, refusal]]), DEADLINE)
      expect(await the(worker).replyOf(command)).toEqual(refusal)
      await seat.leave()
    })

    test('a reply that is kept elsewhere is told and does not stay; one that its caller has is forgotten', async () => {
      const heard = listening()
      const [edge, stored, answered] = [named('edge'), named('command'), named('command')]
      const seat = await the(one).join(edge, heard.listener)
      expect(await the(worker).reply(edge, stored, done, true)).toBe(true)
      expect(await the(worker).reply(edge, answered, done)).toBe(true)
      await vi.waitFor(() => expect(heard.kept).toEqual([true, false]), DEADLINE)
      expect(await the(one).replyOf(stored)).toBeUndefined()
      expect(await the(one).replyOf(answered)).toEqual(done)
      await the(one).forgetReply(answered)
      expect(await the(two).replyOf(answered)).toBeUndefined()
      await seat.leave()
    })

    test('a reply that nobody hears is said to be so, and stays for a moment; one that was never given is not there', async () => {
      const command = named('command')
      expect(await the(worker).reply(named('dead-edge'), command, done)).toBe(false)
      expect(await the(one).replyOf(command)).toEqual(done)
      expect(await the(one).replyOf(named('command'))).toBeUndefined()
    })

    test('an edge that left hears no more', async () => {
      const [left, stayed] = [listening(), listening()]
      const [edge, other] = [named('edge'), named('edge')]
      const seat = await the(one).join(edge, left.listener)
      const mark = await the(one).join(other, stayed.listener)
      await seat.leave()
      await the(worker).reply(edge, named('command'), done)
      await the(worker).deliver(edge, [frame('f', 'u')])
      // Told later, through the same process.
      await the(worker).reply(other, named('command'), done)
      await vi.waitFor(() => expect(stayed.replies.length).toBe(1), DEADLINE)
      expect([left.replies, left.frames]).toEqual([[], []])
      await mark.leave()
    })

    test('live frames reach the edge that they are for, in order, and only that', async () => {
      const [first, second] = [listening(), listening()]
      const [edge, other] = [named('edge'), named('edge')]
      const seats = [await the(one).join(edge, first.listener), await the(one).join(other, second.listener)]
      const frames = Array.from({ length: 20 }, (_, n) => frame(`e${n}`, 'ada', 'bob'))
      await the(worker).deliver(edge, frames.slice(0, 12))
      await the(worker).deliver(edge, [])
      await the(worker).deliver(edge, frames.slice(12))
      await the(worker).deliver(other, [frame('else', 'eve')])
      await vi.waitFor(() => expect([first.frames.length, second.frames.length]).toEqual([20, 1]), DEADLINE)
      expect(first.frames).toEqual(frames)
      expect(second.frames).toEqual([frame('else', 'eve')])
      for (const seat of seats) await seat.leave()
    })

    test('replies of many callers at once all arrive, each with its own', async () => {
      const heard = listening()
      const edge = named('edge')
      const seat = await the(one).join(edge, heard.listener)
      const commands = Array.from({ length: 1_000 }, () => named('command'))
      await Promise.all(commands.map((command, n) => the(worker).reply(edge, command, { status: 200, body: n })))
      await vi.waitFor(() => expect(heard.replies.length).toBe(1_000), DEADLINE)
      expect(new Map(heard.replies.map(([command, reply]) => [command, reply.body]))).toEqual(new Map(commands.map((c, n) => [c, n])))
      const asked = await Promise.all(commands.map(command => the(two).replyOf(command)))
      expect(asked.map(reply => reply?.body)).toEqual(commands.map((_, n) => n))
      await seat.leave()
    })

    test('who is online, and where', async () => {
      const [edge, other] = [named('edge'), named('edge')]
      const [ada, bob, eve, nobody] = [named('ada'), named('bob'), named('eve'), named('nobody')]
      const first = await the(one).join(edge, listening().listener)
      const second = await the(two).join(other, listening().listener)
      await Promise.all([first.present(ada), first.present(bob), second.present(bob), second.present(eve)])
      const online = async () => {
        const found = await the(worker).online([ada, bob, eve, nobody, ada])
        return new Map([...found].map(([user, edges]) => [user, [...edges].sort()]))
      }
      expect(await online()).toEqual(
        new Map([
          [ada, [edge]],
          [bob, [edge, other].sort()],
          [eve, [other]],
        ]),
      )
      await first.absent(bob)
      await first.absent(nobody)
      expect((await online()).get(bob)).toEqual([other])
      await second.leave()
      expect(await online()).toEqual(new Map([[ada, [edge]]]))
      await first.leave()
      expect(await online()).toEqual(new Map())
      expect(await the(worker).online([])).toEqual(new Map())
    })

    test('thousands of people at once', async () => {
      const edge = named('edge')
      const seat = await the(one).join(edge, listening().listener)
      const users = Array.from({ length: 2_000 }, () => named('user'))
      await Promise.all(users.map(seat.present))
      const found = await the(worker).online([...users, named('user')])
      expect(found.size).toBe(2_000)
      await seat.leave()
      expect((await the(worker).online(users)).size).toBe(0)
    })

    test('presence lasts while its edge lives and goes within 90 s when it dies; another edge of the same person stays', async () => {
      const [edge, doomed] = [named('edge'), named('doomed')]
      const [both, only] = [named('both'), named('only')]
      const seat = await the(one).join(edge, listening().listener)
      const mortal = await under.connect()
      const dying = await mortal.join(doomed, listening().listener)
      await Promise.all([seat.present(both), dying.present(both), dying.present(only)])
      for (let minutes = 0; minutes < 3; minutes++) {
        await under.pass(60_000)
        await vi.waitFor(async () => {
          const found = await the(worker).online([both, only])
          expect([found.get(both)?.length, found.get(only)?.length]).toEqual([2, 1])
        }, DEADLINE)
      }
      await mortal.close()
      for (let half = 0; half < 3; half++) {
        await under.pass(30_000)
        await vi.waitFor(async () => expect((await the(worker).online([both])).get(both)).toContain(edge), DEADLINE)
      }
      await under.pass(1)
      expect(await the(worker).online([both, only])).toEqual(new Map([[both, [edge]]]))
      await seat.leave()
    })

    test('spans of a request are kept together', async () => {
      const request = named('request')
      const span = (id: string): Span => ({
        request,
        id,
        cause: null,
        actor: 'posts',
        what: 'post.like',
        at: 1,
        ms: 2.5,
        engine: [{ kind: 'dynamodb:BatchGetItem', ms: 1 }],
        outcome: 'ok',
      })
      await Promise.all([the(one).trace(span('a')), the(two).trace(span('b'))])
      await the(worker).trace(span('c'))
      const spans = await the(two).spans(request)
      expect([...spans].sort((x, y) => x.id.localeCompare(y.id))).toEqual([span('a'), span('b'), span('c')])
      expect(await the(two).spans(named('request'))).toEqual([])

      // Whoever names the request may name it as often as they like.
      for (let n = 0; n < 40; n++) await Promise.all(Array.from({ length: 10 }, (_, k) => the(one).trace(span(`${n}-${k}`))))
      const bounded = await the(two).spans(request)
      expect(bounded).toHaveLength(200)
      expect(new Set(bounded.slice(0, 3).map(s => s.id))).toEqual(new Set(['a', 'b', 'c']))
    })

    test('is well', () => {
      expect(the(one).health()).toEqual({ ok: true, reachable: true, error: null })
      expect(the(worker).health()).toEqual({ ok: true, reachable: true, error: null })
    })
  })
}
