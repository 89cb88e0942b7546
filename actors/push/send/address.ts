import { type LookupAddress, type LookupAllOptions, lookup as resolve } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { buildConnector } from 'undici'

/** A name that leads to an address which is not the public's: nobody's push service, but maybe something of ours. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress'
}

/** Whether an address is one on the public net: not loopback, private, link-local, multicast, embedded or reserved. */
const isPublic = (address: string): boolean => ipaddr.isValid(address) && ipaddr.parse(address).range() === 'unicast'

/** DNS, as `lookup` of `node:dns` asks it. */
export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** Connects to the very addresses that were checked: who asks first and connects by name may be told another address the second time. */
const checkedLookup =
  (resolve: Resolve): LookupFunction =>
  (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, [])
      const taken = addresses.filter(({ address }) => isPublic(address))
      const [first] = taken
      if (!first) return done(new ForbiddenAddress(`${hostname} is at ${addresses.map(a => a.address).join(', ') || 'no address'}`), [])
      if (options.all) done(null, taken)
      else done(null, first.address, first.family)
    })
  }

/** Connects to public addresses only, whether they are named or written out. @param timeout ms */
export const publicConnector = (timeout: number, lookup: Resolve = resolve): buildConnector.connector => {
  const connect = buildConnector({ timeout, lookup: checkedLookup(lookup) })
  return (options, done) => {
    const host = options.hostname.replace(/^\[|\]$/g, '')
    // An address written out is never looked up.
    if (isIP(host) && !isPublic(host)) return done(new ForbiddenAddress(`${host} is no public address`), null)
    connect(options, done)
  }
}
