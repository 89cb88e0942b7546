import { describe, expect, test } from 'vitest'
import { request } from '../testing/edge.ts'
import { addressOf, parseAddress } from './address.ts'

const networkOf = (text: string) => parseAddress(text)?.network

describe('an address', () => {
  test('of IPv6 stands for its /64, however it is spelt', () => {
    const spellings = [
      '2001:db8:1:2::1',
      '2001:db8:1:2::3c',
      '2001:DB8:1:2::',
      '2001:0db8:0001:0002:0000:0000:0000:0001',
      '2001:db8:1:2:ffff:ffff:ffff:ffff',
      '2001:db8:1:2:0:0:192.0.2.7',
      '[2001:db8:1:2::1]',
      '[2001:db8:1:2::1]:4711',
      '[2001:db8:1:2::1]:_hidden',
      '2001:db8:1:2::1%eth0',
      '[2001:db8:1:2::1%25eth0.100]:80',
      ' 2001:db8:1:2::9\t',
    ]
    expect(spellings.map(networkOf)).toEqual(spellings.map(() => '2001:db8:1:2::/64'))
    expect(networkOf('2001:db8:1:3::1')).not.toBe(networkOf('2001:db8:1:2::1'))
    expect([networkOf('::2'), networkOf('0:0:0:0:0:0:0:2')]).toEqual(['0:0:0:0::/64', '0:0:0:0::/64'])
  })
  test('of IPv4 stands for itself, in IPv6’s clothes too', () => {
    const spellings = [
      '192.0.2.7',
      '192.0.2.7:4711',
      '192.0.2.7:_hidden',
      '::ffff:192.0.2.7',
      '::FFFF:c000:207',
      '0000:0000:0000:0000:0000:ffff:c000:0207',
      '[::ffff:192.0.2.7]:4711',
    ]
    expect(spellings.map(networkOf)).toEqual(spellings.map(() => '192.0.2.7'))
  })
  test('is on loopback in whatever clothes', () => {
    const loopback = [
      '127.0.0.1',
      '127.9.8.7',
      '::1',
      '[::1]:80',
      '0:0:0:0:0:0:0:1',
      '0000:0000:0000:0000:0000:0000:0000:0001',
      '::ffff:127.0.0.1',
    ]
    expect(loopback.map(text => parseAddress(text)?.loopback)).toEqual(loopback.map(() => true))
    for (const text of ['192.0.2.1', '128.0.0.1', '::2', '2001:db8::1', '::ffff:192.0.2.1'])
      expect(parseAddress(text)?.loopback, text).toBe(false)
  })
  test('is nothing else', () => {
    const others = [
      '',
      ' ',
      'unknown',
      '_hidden',
      'example.org',
      '127.1',
      '0x7f.0.0.1',
      '010.0.0.1',
      '256.0.0.1',
      '1.2.3',
      '1.2.3.4.5',
      ':',
      '::1::2',
      '[::1',
      '::1]',
      '2001:db8:1:2',
      '12345::',
      `::1%${'x'.repeat(60_000)}`,
    ]
    expect(others.filter(text => parseAddress(text) !== undefined)).toEqual([])
  })
})

describe('the caller’s address', () => {
  const from = (headers: Record<string, string>, proxies = 1, header: 'x-forwarded-for' | 'forwarded' = 'x-forwarded-for') =>
    addressOf(request('GET', '/', { address: '10.0.0.1', headers }), proxies, header).network

  test('is as far to the right as there are proxies of ours', () => {
    const list = (text: string) => ({ 'x-forwarded-for': text })
    expect(from(list('1.1.1.1'), 0)).toBe('10.0.0.1')
    expect(from(list('6.6.6.6, 192.0.2.9'))).toBe('192.0.2.9')
    expect(from(list('192.0.2.9,10.0.0.2'), 2)).toBe('192.0.2.9')
    expect(from(list('192.0.2.9'), 2)).toBe('10.0.0.1')
    expect(from({})).toBe('10.0.0.1')
    expect(from(list('6.6.6.6, [2001:DB8:1:2::7]:4711'))).toBe('2001:db8:1:2::/64')
  })
  test('is the peer’s where what was noted is none', () => {
    for (const text of ['unknown', '', ',', '192.0.2.9,', '192.0.2.9, x'.repeat(2_000), '999.0.0.1'])
      expect(from({ 'x-forwarded-for': text }), text.slice(0, 30)).toBe('10.0.0.1')
  })
  test('is read from Forwarded where proxies write that', () => {
    const cases: [string, string][] = [
      ['for=192.0.2.9', '192.0.2.9'],
      ['For="192.0.2.9:4711"', '192.0.2.9'],
      ['for=6.6.6.6, by=10.0.0.2;FOR="[2001:DB8:1:2::7]:4711";host=mesh.test;proto=https', '2001:db8:1:2::/64'],
      ['for="[2001:db8:1:2::1]"', '2001:db8:1:2::/64'],
      ['for="\\192.0.2.9"', '192.0.2.9'],
      ['for=192.0.2.9;host="a, for=6.6.6.6"', '192.0.2.9'],
      ['for=192.0.2.9 ; proto=http', '192.0.2.9'],
    ]
    for (const [text, network] of cases)
      for (const header of ['x-forwarded-for', 'forwarded'] as const) expect(from({ forwarded: text }, 1, header), text).toBe(network)
    expect(from({ forwarded: 'for=192.0.2.9, for=10.0.0.2' }, 2)).toBe('192.0.2.9')
  })
  test('is the peer’s where Forwarded names nobody, or is not well-formed', () => {
    for (const text of [
      '',
      'for=unknown',
      'for=_hidden',
      'proto=https',
      'for=192.0.2.9, proto=https',
      'for="x, for=192.0.2.9',
      'for="x, for="[2001:db8::1]"',
      'for==',
      '192.0.2.9',
      `${'for=1.1.1.1,'.repeat(5_000)}"`,
    ])
      expect(from({ forwarded: text }), text.slice(0, 40)).toBe('10.0.0.1')
  })
  test('is not taken from the header that our proxies do not write', () => {
    const both = { 'x-forwarded-for': '192.0.2.9', forwarded: 'for=198.51.100.3' }
    expect(from(both)).toBe('192.0.2.9')
    expect(from(both, 1, 'forwarded')).toBe('198.51.100.3')
  })
})
