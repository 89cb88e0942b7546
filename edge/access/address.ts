import ipaddr from 'ipaddr.js'
import type { EdgeRequest } from '../request/request.ts'
import { type ForwardedHeader, forwardedFor } from './forwarded.ts'

/**
 * Where a request comes from, read as an address and not as text: the same host may be spelt in many ways.
 * @property network whom the address stands for: an IPv4 host, or the /64 that an IPv6 host has to choose from
 */
export type Address = { readonly network: string; readonly loopback: boolean }

/** The longest address with brackets, zone and port is shorter; what is longer is not even looked at. */
const MAX_LENGTH = 100
/** `192.0.2.7`, `192.0.2.7:4711`; a port may be a made-up name (RFC 7239, 6.3). */
const WITH_DOTS = /^(\d{1,3}(?:\.\d{1,3}){3})(?::[\w.-]+)?$/
/** `[2001:db8::1]`, `[2001:db8::1]:4711`. */
const IN_BRACKETS = /^\[([^\]]+)\](?::[\w.-]+)?$/

const hostOf = (text: string): string => {
  const [, host = text] = WITH_DOTS.exec(text) ?? IN_BRACKETS.exec(text) ?? []
  // A zone names an interface of the host that wrote it: it tells nobody apart.
  return host.includes(':') ? (host.split('%')[0] ?? '') : host
}
const parseHost = (host: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined => {
  // Other spellings of IPv4 (`127.1`, `0x7f.0.0.1`) are none that a proxy writes.
  if (ipaddr.IPv4.isValidFourPartDecimal(host)) return ipaddr.IPv4.parse(host)
  if (!host.includes(':') || !ipaddr.IPv6.isValid(host)) return undefined
  const address = ipaddr.IPv6.parse(host)
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address
}

/** Reads an IP address, with or without brackets, zone and port. @returns undefined for what is none */
export const parseAddress = (text: string): Address | undefined => {
  const trimmed = text.trim()
  const address = trimmed.length > MAX_LENGTH ? undefined : parseHost(hostOf(trimmed))
  if (address === undefined) return undefined
  const network =
    address instanceof ipaddr.IPv6
      ? `${address.parts
          .slice(0, 4)
          .map(part => part.toString(16))
          .join(':')}::/64`
      : address.toString()
  return { network, loopback: address.range() === 'loopback' }
}

/** The library's text of a peer is always an address; what is not read as one is at least told apart by its text. */
const addressOfPeer = (text: string): Address => parseAddress(text) ?? { network: text, loopback: false }

/**
 * The caller's address: the peer's, or the one that our proxies noted.
 * @param proxies how many of our proxies the request came through: each notes whom it had it from, and what stands further left may be made up. What they
 * noted and is no address leaves the peer's
 */
export const addressOf = (request: EdgeRequest, proxies: number, header: ForwardedHeader): Address => {
  const noted = proxies === 0 ? undefined : forwardedFor(request.headers, header).at(-proxies)
  return (noted === undefined ? undefined : parseAddress(noted)) ?? addressOfPeer(request.address)
}
