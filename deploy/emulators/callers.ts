import type { IncomingHttpHeaders } from 'node:http'

/** The names by which this machine knows itself. Any other name leads here because somebody's DNS says so (rebinding): a page is behind it. */
const LOOPBACK_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i
const NO_ORIGIN = (): boolean => false

/**
 * Why an engine on loopback turns a caller away; undefined for one that it serves. The engines ask for no credentials, and any page that the developer looks at
 * can have the browser send forms to a port of this machine: they go out without being asked for first, so that CORS alone does not keep them away.
 * @param mayCall the origins of pages that the engine is there for; by default none
 */
export const whyTurnedAway = (headers: IncomingHttpHeaders, mayCall: (origin: string) => boolean = NO_ORIGIN): string | undefined => {
  const { host, origin } = headers
  if (host === undefined || !LOOPBACK_HOST.test(host)) return `the host ${JSON.stringify(host ?? '')} is not this machine's own name`
  if (origin !== undefined) return mayCall(origin) ? undefined : `pages of ${JSON.stringify(origin)} may not call this engine`
  // A page that fetches an image says no origin, but browsers say on whose behalf they ask; `none` is the address bar.
  const site = headers['sec-fetch-site']
  return site === undefined || site === 'none' ? undefined : 'pages that do not say their origin may not call this engine'
}

/** What the caller is told, with status 403. */
export const turnedAway = (why: string) => ({ __type: 'AccessDeniedException', message: why })
