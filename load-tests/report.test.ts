import { describe, expect, it } from 'vitest'
import { htmlOf, type Run, textOf } from './k6/report.ts'

const run = (ok: boolean): Run => ({
  scenario: 'smoke',
  what: 'two <people>',
  url: 'http://127.0.0.1:3000',
  data: {
    state: { testRunDurationMs: 12_345 },
    metrics: {
      'http_req_duration{name:post.publish}': {
        values: { count: 3, med: 4.25, 'p(95)': 1234.5, 'p(99)': 1300, max: 1301 },
        thresholds: { 'p(95)<2000': { ok: true } },
      },
      'http_req_duration{name:post.like}': { values: { count: 0, med: 0 } },
      'time_to_visible{by:socket}': { values: { count: 6, med: 10, 'p(95)': 20, 'p(99)': 30, max: 40 } },
      http_req_duration: { values: { count: 99 } },
      posts_published: { values: { count: 3 } },
      deliveries_due: { values: { count: 6 } },
      deliveries_seen: { values: { count: ok ? 6 : 5 } },
      lost: { values: { count: ok ? 0 : 1 }, thresholds: { 'count<1': { ok } } },
      failures: { values: { rate: 0.0123 } },
    },
  },
})

describe('what is shown of a run', () => {
  it('has a line for each thing that happened, and counts', () => {
    const text = textOf(run(true))
    expect(text).toContain('smoke against http://127.0.0.1:3000, 12 s')
    expect(text).toMatch(/post\.publish +3 +4\.3 +1235 +1300 +1301\n/)
    expect(text).toMatch(/heard on a friend’s socket +6 +10 +20 +30 +40\n/)
    expect(text).not.toContain('post.like')
    expect(text).toMatch(/due, seen, lost +6, 6, 0\n/)
    expect(text).toMatch(/failures +1\.23 %\n/)
    expect(text).toContain('All 2 thresholds held.')
  })
  it('has its lines in the same order, whatever k6’s is', () => {
    const { data, ...rest } = run(true)
    const other = { ...rest, data: { ...data, metrics: Object.fromEntries(Object.entries(data.metrics).reverse()) } }
    expect(htmlOf(other, new Date(0))).toBe(htmlOf(run(true), new Date(0)))
  })
  it('names the thresholds that broke', () => {
    expect(textOf(run(false))).toContain('✗ lost: count<1\n1 of 2 thresholds broke.')
    expect(htmlOf(run(false), new Date(0))).toContain('✗ lost: count&#60;1')
  })
  it('is a page of its own that asks nobody for anything', () => {
    const page = htmlOf(run(true), new Date(0))
    expect(page).toContain('two &#60;people&#62;')
    expect(page).not.toMatch(/<(script|link|img)|@import|url\(/)
  })
})
