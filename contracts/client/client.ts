import { z } from 'zod'
import { ClientConfig } from '../edge.ts'
import { Limits } from '../limits.ts'
import { mesh } from '../mesh.ts'
import { type Cognito, type Credentials, cognito, type Fetch, subjectOf, type Tokens } from './cognito.ts'
import { type Exchange, exchanger, problemOf, type SendOptions } from './http.ts'
import { type AnswerTo, type DataOf, type ItemOf, type Lists, type Reads, requestOf, type Writes } from './request.ts'
import { openStream, type Stream, type StreamOptions } from './stream.ts'

/**
 * A typed client of the mesh, for browsers and Node: what can be said and asked, and with which types, comes from the contract.
 *
 * ```ts
 * const mesh = await meet('http://localhost:3000')
 * await mesh.signUp({ email, password })
 * const ana = await mesh.signIn({ email, password })
 * const post = await ana.send('post.publish', { title: 'Hello', content: 'First day' })
 * const { items } = await ana.ask('timeline.get', {})
 * ```
 */
export type Client = {
  /** The caller's id; empty without a token. */
  readonly userId: string
  readonly token: (renewed: boolean) => Promise<string | null>
  /** Says a message and waits until it is done, over lost connections, restarts and 202s, under one Idempotency-Key. @throws ProblemError */
  readonly send: <C extends Writes>(type: C, data: DataOf<C>, options?: SendOptions) => Promise<AnswerTo<C>>
  /** Asks. @throws ProblemError */
  readonly ask: <Q extends Reads>(type: Q, data: DataOf<Q>, options?: SendOptions) => Promise<AnswerTo<Q>>
  /** Every item of a list, page after page. */
  readonly each: <Q extends Lists>(type: Q, data: DataOf<Q>) => AsyncGenerator<ItemOf<Q>, void, undefined>
  /** The bare answer to a message or question, sent once: refusals and 202s included, nothing thrown but network failures. */
  readonly exchange: (type: string, data: Readonly<Record<string, unknown>>, options?: SendOptions) => Promise<Exchange>
  /** Opens the live stream. */
  readonly stream: (options: StreamOptions) => Stream
}

/** An edge of another version may know other limits: that is no reason not to talk to it. */
const Config = ClientConfig.extend({ limits: Limits.partial() })
type Config = z.infer<typeof Config>

const parse = (schema: z.ZodType | undefined, body: unknown, what: string) => {
  const result = schema?.safeParse(body)
  if (result && !result.success) throw new Error(`the mesh answered ${what} with what the contract does not know: ${result.error.message}`)
}

const clientOf = (base: string, config: Config, fetch: Fetch, pool: Cognito, signedIn: Tokens | null): Client => {
  let tokens = signedIn
  let renewing: Promise<Tokens> | undefined
  const token = async (renewed: boolean) => {
    if (tokens === null) return null
    if ((renewed || tokens.expiresAt - Date.now() < 60_000) && tokens.refresh !== null) {
      // one renewal for all that wait; a failed one leaves the old token, and the mesh says what is wrong with it
      renewing ??= pool.renew(tokens.refresh).finally(() => {
        renewing = undefined
      })
      tokens = await renewing.catch(() => tokens)
    }
    return tokens?.access ?? null
  }
  const { once, persist, settle } = exchanger(base, fetch, token)

  const send: Client['send'] = async <C extends Writes>(type: C, data: DataOf<C>, options: SendOptions = {}) => {
    const answer = await persist(requestOf(type, data), options)
    const operation = answer.status === 202 ? await settle(answer, options.patience) : undefined
    if (operation?.problem) throw problemOf({ ...answer, status: operation.problem.status, text: JSON.stringify(operation.problem) }, type)
    if (answer.status >= 400) throw problemOf(answer, type)
    const text = operation ? JSON.stringify(operation.result ?? undefined) : answer.text
    const statuses = Object.entries(mesh.commands.get(type)?.command.answer ?? {})
    const body: AnswerTo<C> = text === undefined || text === '' ? undefined : JSON.parse(text)
    const schema = statuses.find(([status]) => operation !== undefined || status === String(answer.status))?.[1]
    parse(schema, body, type)
    return body
  }
  const read = async (type: Reads, data: Readonly<Record<string, unknown>>, options: SendOptions = {}) => {
    const answer = await persist(requestOf(type, data), options)
    if (answer.status >= 400) throw problemOf(answer, type)
    const { answer: item, list, extra } = mesh.queries.get(type)?.query ?? {}
    const schema = list && item ? z.object({ items: z.array(item), next: z.string().nullable(), ...extra }) : item
    parse(schema, JSON.parse(answer.text), type)
    return answer.text
  }
  return {
    userId: tokens === null ? '' : subjectOf(tokens.access),
    token,
    send,
    ask: async <Q extends Reads>(type: Q, data: DataOf<Q>, options?: SendOptions) => {
      const body: AnswerTo<Q> = JSON.parse(await read(type, data, options))
      return body
    },
    exchange: (type, data, { key, headers = {} } = {}) =>
      once(requestOf(type, data), key === undefined ? headers : { 'idempotency-key': key, ...headers }, false),
    each: async function* <Q extends Lists>(type: Q, data: DataOf<Q>) {
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page: { items: ItemOf<Q>[]; next: string | null } = JSON.parse(
          await read(type, { ...data, ...(cursor === undefined ? {} : { cursor }) }),
        )
        yield* page.items
        cursor = page.next
      }
    },
    stream: options => openStream(config.stream, async renewed => (await token(renewed)) ?? '', options),
  }
}

/** Reads the configuration of a mesh. @param url its base address @param fetch another `fetch`, for tests */
export const meet = async (url: string, fetch: Fetch = globalThis.fetch) => {
  const answer = await fetch(new URL('/v1/config', url).href, {}).catch((cause: unknown) => {
    // fetch itself says no more than "fetch failed"
    throw new Error(`no mesh answers at ${url}: does it run there?`, { cause })
  })
  if (!answer.ok) throw new Error(`${url}/v1/config answers ${answer.status}: is this a mesh?`)
  const config = Config.parse(await answer.json())
  const pool = cognito(config.auth, fetch)
  return {
    config,
    signUp: pool.signUp,
    signIn: async (credentials: Credentials): Promise<Client> => clientOf(url, config, fetch, pool, await pool.signIn(credentials)),
    /** A client without a token. */
    anonymous: (): Client => clientOf(url, config, fetch, pool, null),
  }
}
export type MeshClient = Awaited<ReturnType<typeof meet>>
