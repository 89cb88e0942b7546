/**
 * What zod needs to know of an address. k6 has no `URL`; the runner puts this one in its place, so that the contract's `z.url()` can be held against.
 */
export class URL {
  readonly href: string
  readonly protocol: string
  readonly hostname: string
  constructor(text: string) {
    const [href, protocol, hostname] =
      /^([a-z][a-z0-9+.-]*:)\/\/(\[[0-9a-f:]+\]|[^\s/?#:@[\]]+)(?::\d{1,5})?(?:[/?#]\S*)?$/i.exec(text) ?? []
    if (href === undefined || protocol === undefined || hostname === undefined) throw new TypeError(`${JSON.stringify(text)} is no address`)
    this.href = href
    this.protocol = protocol.toLowerCase()
    this.hostname = hostname.toLowerCase()
  }
}
