/** Why a server serves, or why uWebSockets.js does not: few and fixed, for they are a label of a metric. */
export const SERVER_REASONS = {
  forced: 'EDGE_SERVER says so',
  loads: 'its binary loads',
  glibc: 'uWebSockets.js wants a newer glibc',
  musl: 'uWebSockets.js has no binary for musl',
  noBinary: 'uWebSockets.js has no binary for this Node.js here',
  absent: 'uWebSockets.js is not installed',
  broken: 'uWebSockets.js does not load',
} as const
export type ServerReason = (typeof SERVER_REASONS)[keyof typeof SERVER_REASONS]

/**
 * What a native binary must fit.
 * @property glibc the version of glibc that runs here; undefined: another C library, or no Linux
 */
export type Machine = {
  readonly platform: string
  readonly arch: string
  readonly node: string
  readonly abi: string
  readonly glibc: string | undefined
}

/** The one place that tells musl from glibc is a report of Node.js, which looks up the names of all peers unless told not to. */
export const thisMachine = (): Machine => {
  const { platform, arch, versions, report } = process
  // Its types come with Node.js 22.
  Object.assign(report, { excludeNetwork: true })
  const made: unknown = report.getReport()
  const header = typeof made === 'object' && made !== null && 'header' in made ? made.header : undefined
  const glibc =
    typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header ? String(header.glibcVersionRuntime) : undefined
  return { platform, arch, node: versions.node, abi: versions.modules, glibc }
}

/**
 * @property detail what does not fit, in words that end a sentence
 * @property remedy what makes uWebSockets.js load
 */
export type LoadFailure = { readonly reason: ServerReason; readonly detail: string; readonly remedy: string }

const NODE_20 = 'run Node.js 20, whose binary needs glibc 2.27 only'

/** Explains an error of loading uWebSockets.js, which names all that it supports and last what is wrong here. */
export const explainLoadFailure = (error: unknown, { platform, arch, node, abi, glibc }: Machine): LoadFailure => {
  const message = error instanceof Error ? error.message.trim() : String(error)
  const last = message.split('\n').at(-1) ?? ''
  const build = `Node.js ${node} (ABI ${abi}) on ${platform} ${arch}`
  if (/Cannot find (package|module) '?uWebSockets\.js/.test(message))
    return { reason: SERVER_REASONS.absent, detail: 'it is not in node_modules', remedy: 'run npm ci' }
  const [wanted] = /GLIBC_[\d.]+/.exec(message) ?? []
  if (wanted !== undefined && glibc !== undefined)
    return {
      reason: SERVER_REASONS.glibc,
      detail: `its binary for Node.js ${node} needs ${wanted}, this system has glibc ${glibc}`,
      remedy: `${NODE_20}, or use a system with a glibc that new: Debian 13 or Ubuntu 24.04`,
    }
  if (platform === 'linux' && glibc === undefined)
    return {
      reason: SERVER_REASONS.musl,
      detail: `its binaries are for glibc, and ${build} runs on another C library, as on Alpine (musl): ${last}`,
      remedy: 'use a system with glibc, as the images of Debian and Ubuntu',
    }
  if (/Cannot find module '[^']*\.node'/.test(message))
    return {
      reason: SERVER_REASONS.noBinary,
      detail: `there is no binary for ${build}`,
      remedy: 'run Node.js 20, 22 or 24 on Linux, macOS or Windows',
    }
  return { reason: SERVER_REASONS.broken, detail: last, remedy: 'run npm ci again: the binary may be damaged' }
}
