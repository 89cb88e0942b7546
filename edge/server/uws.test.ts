import { test } from 'vitest'
import { chooseServer } from './choose.ts'
import { conformance } from './conformance.ts'
import { conformanceOfEnds } from './conformance-ends.ts'
import { conformanceOfTimes } from './conformance-times.ts'
import { SERVER_REASONS } from './load-failure.ts'

const { name, reason, why, listen } = await chooseServer(undefined)
// What this system lacks is not mended by a test that fails; whatever else keeps the library from loading is.
if (name === 'node' && (reason === SERVER_REASONS.glibc || reason === SERVER_REASONS.musl)) test.skip(why, () => {})
else {
  conformance('uws', { emptyFraming: 505, cutsKeys: true, tooBig: 1006 })
  conformanceOfEnds('uws', listen)
  conformanceOfTimes('uws', listen, {
    times: { socketIdleS: 8 },
    laxChunks: true,
    trailers: 505,
    extensions: false,
    brokenLine: undefined,
  })
}
