import { Agent, buildConnector, request } from 'undici'
import { publicConnector, type Resolve } from './address.ts'

type PushRequest = {
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** The endpoint's origin is one that was allowed by name: it may be anywhere. */
  readonly anywhere: boolean
}
export type PushAnswer = { readonly status: number; readonly retryAfter: string | undefined }

/** Sends a request to a push service. */
export type Transport = {
  /** @throws when no answer came: refused, reset, forbidden address, or not in time */
  readonly send: (request: PushRequest) => Promise<PushAnswer>
  readonly close: () => Promise<void>
}

/** How long a push service may take for each part of an answer, in ms, and how much it may say. */
export const PATIENCE = { connectMs: 2_000, headersMs: 3_000, bodyMs: 2_000, bodyBytes: 4_096 }
export type Patience = typeof PATIENCE

type Body = Awaited<ReturnType<typeof request>>['body']

/**
 * Reads an answer to its end, so that its connection can be used again; one that says too much, or takes too long to, loses its connection.
 * Nothing depends on what it says: status and headers have come.
 */
const finished = async (body: Body, { bodyMs, bodyBytes }: Patience): Promise<void> => {
  const late = setTimeout(() => body.destroy(), bodyMs)
  try {
    let bytes = 0
    for await (const chunk of body) {
      bytes += Buffer.byteLength(chunk)
      if (bytes > bodyBytes) break
    }
  } catch {
    // It was dropped in the middle, by them or by us.
  } finally {
    clearTimeout(late)
    body.destroy()
  }
}

/**
 * HTTP to push services: kept connections, every wait bounded, redirects not followed, private addresses never connected.
 * @param connections to one origin at the most
 * @param resolve DNS; the system's by default
 */
export const httpTransport = (connections: number, patience: Patience = PATIENCE, resolve?: Resolve): Transport => {
  const { connectMs, headersMs, bodyMs } = patience
  const agent = (connect: buildConnector.connector) =>
    new Agent({ connect, connections, headersTimeout: headersMs, bodyTimeout: bodyMs, keepAliveTimeout: 30_000, pipelining: 1 })
  const guarded = agent(publicConnector(connectMs, resolve))
  const open = agent(buildConnector({ timeout: connectMs }))
  return {
    send: async ({ endpoint, headers, body, anywhere }) => {
      const answer = await request(endpoint, {
        method: 'POST',
        headers,
        body,
        dispatcher: anywhere ? open : guarded,
        // The client's own timers are coarse, and none of them bounds the whole.
        signal: AbortSignal.timeout(connectMs + headersMs),
      })
      await finished(answer.body, patience)
      const retryAfter = answer.headers['retry-after']
      return { status: answer.statusCode, retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined }
    },
    close: async () => void (await Promise.all([guarded.destroy(), open.destroy()])),
  }
}
