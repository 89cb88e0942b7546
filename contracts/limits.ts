import { z } from 'zod'

/** What clients may do how often, and hold at once, as `/v1/config` names it. */

const count = (description: string) => z.int().min(0).meta({ description })

export const Budget = z
  .object({
    perSecond: count('how many come back a second'),
    burst: count('how many there are at first, and at most'),
  })
  .meta({ id: 'Budget', description: 'a token bucket; what is over it is refused with 429 and `Retry-After`' })
export type Budget = z.infer<typeof Budget>

export const Limits = z
  .object({
    countedAt: z.literal('edge').meta({
      description:
        'budgets and caps are counted at each edge by itself: where a deployment has several, connections spread over them may come to more',
    }),
    reads: Budget.meta({ description: 'of a user: requests that read, and frames `auth` and `resume`' }),
    writes: Budget.meta({ description: 'of a user: requests that write, and frames `send`' }),
    addresses: z
      .object({
        reads: Budget.meta({ description: 'requests that read, and sockets that are opened' }),
        writes: Budget.meta({ description: 'requests that write' }),
        withoutToken: Budget.meta({ description: 'requests without a token, or with a bad one' }),
        sockets: count('sockets open at the same time; one more is closed with 4429 before its `hello`'),
        exemptLoopback: z.boolean().meta({ description: 'whether loopback has no limits of addresses, as with embedded engines' }),
      })
      .meta({ description: 'of an address: an IPv4 address, or the /64 of an IPv6 address' }),
    controlFrames: Budget.meta({ description: 'of a socket: pings and pongs; over it the socket is closed with 4429' }),
    sockets: count('a user’s sockets open at the same time; one more is closed with 4429 before its `hello`, the older ones stay'),
    unansweredWrites: count('a user’s writes without a final reply, those answered 202 among them; more are refused with 429'),
    waitersPerKey: count(
      'writes about one thing (a post, a person, two people) that wait for their replies; who comes then gets a 202 at once',
    ),
    unsettledPerKey: count('writes about one thing without a final reply; more are refused with 503, writes about other things are not'),
    longestWaitSeconds: count('the most that `Prefer: wait` counts'),
    bodyBytes: count('of a request’s body; more is refused with 413'),
    frameBytes: count('of a frame; more ends the socket with 1009'),
    pageItems: count('the most that `limit` of a list takes'),
    pushSubscriptions: count('of a user'),
    friends: count('of a user'),
    incoming: count('open friend requests to a user'),
    outgoing: count('open friend requests of a user'),
    blocks: count('people whom a user blocks'),
    mutes: count('people whom a user mutes'),
    pins: count('posts that a user has pinned'),
    jobs: count('in a user’s profile'),
    education: count('entries in a user’s profile'),
  })
  .meta({ id: 'Limits' })
export type Limits = z.infer<typeof Limits>
