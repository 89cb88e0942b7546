import { Temporal } from 'temporal-polyfill'
import type { Preferences, PushType, QuietHours } from '../../contracts/push.ts'
import type { User } from '../../contracts/users.ts'

/** Whether a time of day (`HH:MM`) lies in quiet hours: `from` belongs to them, `to` does not. */
export const isQuiet = ({ from, to }: QuietHours, time: string): boolean =>
  from < to ? from <= time && time < to : from <= time || time < to

/** @param zone an IANA time zone @param at epoch ms @returns `HH:MM` */
export const timeOfDay = (zone: string, at: number): string =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainTime().toString({ smallestUnit: 'minute' })

/** Whether a person wants to be told of something now, by type and quiet hours. @param now epoch ms */
export const allowedByPreferences = (type: PushType, person: User, { types, quietHours }: Preferences, now: number): boolean =>
  person.status === 'live' && types[type] && !(quietHours && isQuiet(quietHours, timeOfDay(person.profile.timeZone, now)))
