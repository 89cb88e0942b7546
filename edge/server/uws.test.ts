import { conformance } from './conformance.ts'

conformance('uws', { emptyFraming: 505, cutsKeys: true, tooBig: 1006 })
