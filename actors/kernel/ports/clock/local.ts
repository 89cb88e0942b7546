import { LRUCache } from 'lru-cache'
import { Temporal } from 'temporal-polyfill'

/** A date as the people of a time zone count it, and the first instant of their next one (RFC 3339). */
export type LocalDay = { readonly day: string; readonly endsAt: string }
type Span = LocalDay & { readonly from: number; readonly to: number }

// Asking a zone's rules costs a hundred times what a rule does, and nearly every question is about the zone's day of the one before.
const latest = new LRUCache<string, Span>({ max: 1000 })

const spanOf = (zone: string, at: number): Span => {
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone)
  const day = local.toPlainDate()
  // Days begin where the zone says: an hour late where clocks jump at midnight, a day late where a date was left out.
  const to = day.add({ days: 1 }).toZonedDateTime({ timeZone: zone }).epochMilliseconds
  return { day: day.toString(), endsAt: new Date(to).toISOString(), from: local.startOfDay().epochMilliseconds, to }
}

/**
 * The local date of an instant.
 * @param zone an IANA time zone
 * @param at RFC 3339
 * @throws RangeError when the zone or the time is none; contracts let neither pass
 */
export const localDay = (zone: string, at: string): LocalDay => {
  const ms = Date.parse(at)
  const known = latest.get(zone)
  if (known && known.from <= ms && ms < known.to) return known
  const span = spanOf(zone, ms)
  latest.set(zone, span)
  return span
}
