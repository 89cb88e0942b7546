import { hash } from 'node:crypto'
import { ROLES } from '../../contracts/derive/access/access.ts'
import { asyncapi } from '../../contracts/derive/asyncapi/asyncapi.ts'
import type { Mesh } from '../../contracts/derive/mesh.ts'
import { ownRoutes } from '../../contracts/derive/openapi/edge-operations.ts'
import { openapi } from '../../contracts/derive/openapi/openapi.ts'
import { signingIn } from '../../contracts/derive/openapi/signing-in.ts'
import type { Route } from '../../contracts/derive/routes.ts'
import { CLOSE, type StreamDeclaration } from '../../contracts/frames.ts'
import { noneMatch } from '../request/etag.ts'
import type { EdgeAnswer, EdgeRequest } from '../request/request.ts'

/** The documentation that the edge serves, written once at start from the contract. */

/** What the pages tell of. @property about the product in a sentence */
export type Documented = { readonly mesh: Mesh; readonly stream: StreamDeclaration; readonly about: string }

const escaped = (text: string) => text.replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`)

const STYLE = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); --soft: color-mix(in srgb, currentColor 65%, transparent) }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 3rem 1.25rem }
h1 { line-height: 1.2; margin: 0 0 .5rem } h2 { margin: 2.5rem 0 .5rem } p { max-width: 44rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line) }
code { font: .9em ui-monospace, monospace } .soft { color: var(--soft) } nav { margin-bottom: 2rem } nav a { margin-right: 1rem }
td:first-child { white-space: nowrap } @media (max-width: 40rem) { td:first-child { white-space: normal } td code { overflow-wrap: anywhere } }
`
const page = (site: string, title: string, body: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<nav><a href="/">${escaped(site)}</a><a href="/docs">Documentation</a><a href="/openapi.json">OpenAPI</a><a href="/asyncapi.json">AsyncAPI</a></nav>
${body}
</body>
</html>
`
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  `<table><thead><tr>${head.map(h => `<th>${h}</th>`).join('')}</tr></thead><tbody>${rows
    .map(r => `<tr>${r.map(c => `<td>${c}</td>`).join('')}</tr>`)
    .join('\n')}</tbody></table>`
const code = (text: string) => `<code>${escaped(text)}</code>`
/** Markdown's code, the only mark that these texts have. */
const marked = (text: string) => escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>')
const problemLink = (name: string) => `<a href="/docs/problems/${name}">${code(name)}</a>`
const statusOf = (mesh: Mesh, { spec }: Route, name: string) =>
  (spec.kind === 'query' ? spec.statuses?.[name] : undefined) ?? mesh.problems[name]?.status

const homePage = ({ mesh: { title }, about }: Documented) =>
  page(
    title,
    title,
    `<h1>${escaped(title)}</h1>
<p>${escaped(about)} This is the API; a client begins with <a href="/v1/config">/v1/config</a>, which says where to sign in.</p>
<ul>
<li><a href="/docs">Documentation</a>: every route, message, event and problem</li>
<li><a href="/openapi.json">openapi.json</a> and <a href="/asyncapi.json">asyncapi.json</a>, for machines</li>
<li><a href="/health/ready">Health</a></li>
</ul>`,
  )

const docsPage = ({ mesh, stream }: Documented) => {
  const sorted = [...mesh.routes].sort((a, b) => a.path.localeCompare(b.path) || a.method.localeCompare(b.method))
  return page(
    mesh.title,
    `${mesh.title}: documentation`,
    `<h1>Documentation</h1>
<p>Send a Cognito access or ID token as <code>Authorization: Bearer …</code>. <code>me</code> stands for you wherever <code>{userId}</code> stands. Writes take an
<code>Idempotency-Key</code> and <code>Prefer: respond-async</code> or <code>wait=N</code>; lists take <code>limit</code> and <code>cursor</code>; what has an
<code>ETag</code> takes <code>If-None-Match</code> and <code>If-Match</code>.</p>
<h2>Signing in</h2>
<ol>
${signingIn(mesh)
  .map(({ title, text }) => `<li><b>${escaped(title)}.</b> ${marked(text)}</li>`)
  .join('\n')}
</ol>
<h2>Routes</h2>
${table(
  ['Route', 'What it does', 'Message or question', 'Refusals'],
  sorted.map(r => [
    code(`${r.method} ${r.path}`),
    escaped(r.spec.summary),
    code(r.type),
    r.spec.refuses.map(name => `${statusOf(mesh, r, name)} ${problemLink(name)}`).join('<br>'),
  ]),
)}
<h2>The edge’s own</h2>
${table(
  ['Route', 'What it does'],
  ownRoutes(mesh, stream.subprotocol).map(r => [code(`${r.method.toUpperCase()} ${r.path}`), escaped(r.summary)]),
)}
<h2>The stream</h2>
<p>A WebSocket at <code>/v1/stream</code> with the subprotocol ${code(stream.subprotocol)}; its frames are described in
<a href="/asyncapi.json">asyncapi.json</a>. Any message of the table above can be sent over it; these events are heard:</p>
<p>${Object.keys(stream.events).map(code).join(', ')}</p>
<p>Close codes: ${Object.entries(CLOSE)
      .map(([name, n]) => `${code(String(n))} ${name}`)
      .join(', ')}. Who comes back says <code>resume</code> with the last <code>position</code> it had: every thing that
changed since comes in its latest state, then <code>resumed</code>; or <code>reset</code>, when that is too long ago: reload by HTTP.</p>
<h2>Who asks</h2>
${table(
  ['Role', 'Who that is'],
  Object.entries(ROLES).map(([name, what]) => [code(name), escaped(what)]),
)}
<h2>Problems</h2>
${table(
  ['Status', 'Code', 'Title'],
  Object.entries(mesh.problems)
    .sort(([a, x], [b, y]) => x.status - y.status || a.localeCompare(b))
    .map(([name, { status, title }]) => [String(status), problemLink(name), escaped(title)]),
)}`,
  )
}

const problemPage = (mesh: Mesh, name: string) => {
  const declared = mesh.problems[name]
  const by = mesh.routes.filter(r => r.spec.refuses.includes(name))
  return page(
    mesh.title,
    `${name} – ${mesh.title}`,
    `<h1>${escaped(declared?.title ?? name)}</h1>
<p>${code(name)}, status ${declared?.status}. The answer’s <code>detail</code> says what was wrong this time${
      declared?.status === 422 ? ', and its <code>errors</code>, if any, point at the fields' : ''
    }.</p>
${
  by.length === 0
    ? '<p>Any route may answer so.</p>'
    : `<h2>Where</h2>\n${table(
        ['Status', 'Route', 'What it does'],
        by.map(r => [String(statusOf(mesh, r, name)), code(`${r.method} ${r.path}`), escaped(r.spec.summary)]),
      )}`
}`,
  )
}

/** A document kept as it is sent. */
export type Page = { readonly type: string; readonly text: string; readonly etag: string }
const kept = (type: string, text: string): Page => ({ type, text, etag: `"${hash('sha256', text, 'base64url').slice(0, 16)}"` })
const HTML = 'text/html; charset=utf-8'
const JSON_TYPE = 'application/json'

/** Pages by path, each written when it is first asked for. @param own where clients find this edge */
export const pages = (
  documented: Documented,
  own: { readonly host: () => string; readonly secure: boolean },
): ReadonlyMap<string, () => Page> => {
  const once = (write: () => Page) => {
    let page: Page | undefined
    return () => {
      page ??= write()
      return page
    }
  }
  return new Map([
    ['/', once(() => kept(HTML, homePage(documented)))],
    ['/docs', once(() => kept(HTML, docsPage(documented)))],
    [
      '/openapi.json',
      once(() => kept(JSON_TYPE, JSON.stringify(openapi(documented.mesh, { subprotocol: documented.stream.subprotocol })))),
    ],
    [
      '/asyncapi.json',
      once(() => kept(JSON_TYPE, JSON.stringify(asyncapi(documented.mesh, documented.stream, { host: own.host(), secure: own.secure })))),
    ],
    ...Object.keys(documented.mesh.problems).map((name): [string, () => Page] => [
      `/docs/problems/${name}`,
      once(() => kept(HTML, problemPage(documented.mesh, name))),
    ]),
  ])
}

/** Nothing on a page runs, and nothing is loaded from anywhere. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

export const pageAnswer = (request: EdgeRequest, { type, text, etag }: Page): EdgeAnswer => {
  const headers = {
    etag,
    'cache-control': 'no-cache',
    // A cache that keeps it for many must not give one origin's answer to another.
    vary: 'origin',
    ...(type === HTML ? { 'content-security-policy': POLICY } : {}),
  }
  return noneMatch(request.headers, etag)
    ? { status: 304, headers, body: '' }
    : { status: 200, headers: { 'content-type': type, ...headers }, body: text }
}
