import { PassThrough } from 'node:stream'
import type { Acknowledged } from './crowd.ts'
import { teller } from './teller.ts'

/** Before anything was acknowledged. */
export const nothing = (): Acknowledged => ({ posts: new Map(), refused: 0, comments: new Map(), likes: new Map(), names: new Map() })

/** A story told to a test: `wrong` are the things that were not as they must be. */
export const told = () => {
  const out = new PassThrough()
  let text = ''
  out.on('data', chunk => {
    text += String(chunk)
  })
  return { teller: teller(out), wrong: () => text.split('\n').filter(line => line.includes('✗')) }
}
