import { errorMessage } from '../../actors/kernel/ports/errors/error-message.ts'
import type { Span } from '../../actors/kernel/ports/tracing/span.ts'
import { isBackplane, type OpenMesh, whyNone } from './open.ts'
import { askSpans } from './operations.ts'
import { causation, drawn } from './tree.ts'

/** Draws what a request set off. @returns the exit code: 1 when no span of it is kept */
export const trace = async (mesh: OpenMesh, request: string, say: (line: string) => void): Promise<number> => {
  const spans = await spansOf(mesh, request)
  if (spans.length === 0) {
    for (const line of nothing(request, mesh.flags)) say(line)
    return 1
  }
  say(`Request ${request}, ${new Date(Math.min(...spans.map(s => s.at))).toISOString()}`)
  for (const line of drawn(causation(spans))) say(line)
  return 0
}

/** From the first operations server that answers, else from the backplane itself. @throws when neither can be asked, saying why */
const spansOf = async ({ operations, backplane }: OpenMesh, request: string): Promise<readonly Span[]> => {
  const failures: string[] = []
  const from = async (read: () => Promise<readonly Span[]>) => {
    try {
      return await read()
    } catch (error) {
      failures.push(errorMessage(error))
      return undefined
    }
  }
  for (const url of operations) {
    const spans = await from(() => askSpans(url, request))
    if (spans) return spans
  }
  const spans = await from(() => (isBackplane(backplane) ? backplane.spans(request) : Promise.reject(new Error(whyNone(backplane)))))
  if (spans) return spans
  throw new Error(`spans cannot be read: ${failures.join('; ')}`)
}

const nothing = (request: string, flags: string): string[] => [
  `Nothing is kept of the request ${JSON.stringify(request)}. Spans are kept for ten minutes, and only of requests that ask for it:`,
  'their traceparent ends in -01. The id is that of the answer’s x-request-id. So a request can be followed:',
  '',
  "  curl -H 'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' -H 'x-request-id: look-1' …",
  `  npm run mesh -- trace look-1${flags}`,
]
