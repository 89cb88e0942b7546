import { describe, expect, it } from 'vitest'
import { BadFlag, readFlags } from './flags.ts'

describe('the flags of a load test', () => {
  it('are few, and all but the scenario have a default', () => {
    expect(readFlags(['smoke'])).toEqual({ scenario: 'smoke', url: undefined, k6: undefined, out: 'load-tests/reports', size: {} })
  })
  it('tell the scenario its size', () => {
    const flags = readFlags(['morning-rush', '--url', 'http://127.0.0.1:3000', '--vus', '7', '--people', '70', '--duration', '2m'])
    expect(flags).toMatchObject({ url: 'http://127.0.0.1:3000', size: { VUS: '7', PEOPLE: '70', SECONDS: '120' } })
  })
  it.each([
    [[], /one scenario is needed/],
    [['smoke', 'socket-storm'], /one scenario is needed/],
    [['evening-rush'], /evening-rush/],
    [['smoke', '--vus', '0'], /--vus takes 1 to/],
    [['smoke', '--people', '1e3'], /--people takes 1 to/],
    [['smoke', '--duration', '2h'], /--duration takes/],
    [['smoke', '--duration', '51m'], /--duration takes/],
    [['smoke', '--url', 'mesh'], /--url takes an http address/],
    [['smoke', '--fast'], /--fast/],
  ])('%j is refused, by name', (args, why) => {
    expect(() => readFlags(args)).toThrow(BadFlag)
    expect(() => readFlags(args)).toThrow(why)
  })
  it('ask for help without a scenario', () => {
    expect(readFlags(['--help'])).toBeUndefined()
  })
})
