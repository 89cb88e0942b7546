import type { Span } from '../../actors/kernel/ports/tracing/span.ts'
import { askSpans } from '../../deploy/mesh-cli/operations.ts'
import { until } from '../until.ts'

/** The spans of a request, once `complete` is content with them. */
export const spansOf = (operations: string, request: string, complete: (spans: readonly Span[]) => boolean): Promise<readonly Span[]> =>
  until(`the spans of ${request}`, async () => {
    const spans = await askSpans(operations, request)
    return complete(spans) ? spans : undefined
  })

/** Headers that ask for a request's spans to be kept. */
export const traced = (request: string) => ({
  'x-request-id': request,
  traceparent: `00-${crypto.randomUUID().replaceAll('-', '')}-${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}-01`,
})
