import { conformance } from './conformance.ts'

conformance('node', { emptyFraming: 400, cutsKeys: false, tooBig: 1009 })
