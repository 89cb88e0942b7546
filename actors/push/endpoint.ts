/**
 * Where browsers have their push services: whole hosts, or with a leading dot whatever lies below. An endpoint is an address that a client names and we
 * call, so it is one of these and no other.
 */
const PUSH_SERVICES = [
  'fcm.googleapis.com', // Chrome, Edge on Android, Opera, Samsung Internet
  'jmt17.google.com', // Chrome, for some
  '.push.services.mozilla.com', // Firefox
  '.notify.windows.com', // Edge
  '.push.apple.com', // Safari
]
const isPushService = (host: string): boolean =>
  PUSH_SERVICES.some(service => (service.startsWith('.') ? host.endsWith(service) : host === service))

/**
 * Why nothing is sent to an address, undefined if it is a push service's. An address literal is none: they all have names.
 * @param endpoint an absolute URL
 * @param allowed origins that are taken whatever they are (`PUSH_ALLOW_ORIGINS`)
 */
export const refusedEndpoint = (endpoint: string, allowed: readonly string[]): string | undefined => {
  if (!URL.canParse(endpoint)) return 'it is no absolute address'
  const url = new URL(endpoint)
  if (url.username !== '' || url.password !== '') return 'the address names a user'
  if (endpoint.includes('#')) return 'the address has a fragment'
  if (allowed.includes(url.origin)) return undefined
  if (url.protocol !== 'https:') return `the address begins with ${url.protocol}// instead of https://`
  if (url.port !== '') return `the address has port ${url.port} instead of 443`
  return isPushService(url.hostname) ? undefined : `${url.hostname} is no push service that is known here`
}
