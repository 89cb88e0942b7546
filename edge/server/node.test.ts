import { conformance } from './conformance.ts'
import { conformanceOfEnds } from './conformance-ends.ts'
import { conformanceOfTimes } from './conformance-times.ts'
import { listen } from './node.ts'

conformance('node', { emptyFraming: 400, cutsKeys: false, tooBig: 1009 })
conformanceOfEnds('node', listen)
conformanceOfTimes('node', listen, {
  times: { headersMs: 500, requestMs: 1_000, unreadMs: 500, socketIdleS: 1 },
  laxChunks: false,
  trailers: 200,
  extensions: true,
  brokenLine: 400,
})
