import { createServer, type ServerResponse } from 'node:http'
import { errorMessage } from '../ports/errors/error-message.ts'
import type { Span } from '../ports/tracing/span.ts'

/** Whether a process can do its work; the rest names its parts and what is wrong with them. */
export type Health = { readonly ok: boolean } & Readonly<Record<string, unknown>>

export type OperationsOptions = {
  /** What people call the mesh. */
  readonly title: string
  /** 0 takes a free one. */
  readonly port: number
  readonly host: string
  /** prom-client's registry, or one that looks like it. */
  readonly registry: { readonly contentType: string; readonly metrics: () => Promise<string> }
  readonly health: () => Health | Promise<Health>
  /** The kept spans of a request. */
  readonly spans: (request: string) => Promise<readonly Span[]>
}
export type Operations = { readonly url: string; readonly close: () => Promise<void> }

/**
 * The operations server of a process: `/metrics`, `/health/live`, `/health/ready`, `/trace/<request id>`. It has a port of its own, so that what it says
 * never meets the public, and answers while the edge's loop is full.
 * @throws an error naming the port when it is taken
 */
export const startOperations = async ({ title, port, host, registry, health, spans }: OperationsOptions): Promise<Operations> => {
  const answer = async (path: string, response: ServerResponse): Promise<void> => {
    if (path === '/') return send(response, 200, 'text/html; charset=utf-8', page(title))
    if (path === '/metrics') return send(response, 200, registry.contentType, await registry.metrics())
    if (path === '/health/live') return sendJson(response, 200, { ok: true })
    if (path === '/health/ready') {
      const state = await health()
      return sendJson(response, state.ok ? 200 : 503, state)
    }
    const request = /^\/trace\/([\w.:~-]{1,200})$/.exec(path)?.[1]
    if (request !== undefined) return sendJson(response, 200, await spans(request))
    return sendJson(response, 404, { error: `there is no ${path} here` })
  }

  const server = createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return sendJson(response, 405, { error: 'only GET is served here' })
    }
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    answer(path, response).catch((error: unknown) => {
      if (response.headersSent) return response.destroy()
      sendJson(response, 503, { error: errorMessage(error) })
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new Error(`the operations port ${port} of ${host} is in use`, { cause: error }) : error),
    )
    server.listen(port, host, resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the operations server listens on no port')
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const send = (response: ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
}
const sendJson = (response: ServerResponse, status: number, body: unknown): void =>
  send(response, status, 'application/json; charset=utf-8', JSON.stringify(body))

const page = (title: string) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title.replace(/[&<>]/g, c => `&#${c.charCodeAt(0)};`)}: operations</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; color-scheme: light dark }</style>
<h1>Operations</h1>
<ul>
  <li><a href="/metrics">/metrics</a>: for Prometheus</li>
  <li><a href="/health/ready">/health/ready</a>: whether it can work, and each part</li>
  <li><a href="/health/live">/health/live</a>: whether it runs</li>
  <li>/trace/<em>request id</em>: what a sampled request set off, as spans</li>
</ul>
</html>
`
