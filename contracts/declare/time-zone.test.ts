import { expect, test } from 'vitest'
import { ProfilePatch } from '../users.ts'

const takes = (timeZone: string) => ProfilePatch.safeParse({ timeZone }).success

test('a zone is a name of the IANA database', () => {
  const zones = ['UTC', 'Europe/Berlin', 'europe/berlin', 'America/Argentina/ComodRivadavia', 'Etc/GMT-14', 'Zulu', 'Asia/Calcutta']
  expect(zones.filter(zone => !takes(zone))).toEqual([])
})
test('and nothing else, however long', () => {
  const offsets = ['+01:00', '-0800', 'UTC+1', 'GMT+5']
  const none = ['', ' ', 'Z', 'Mars/Olympus', 'Europe/Berlin ', 'Europe/Berlin\0', '../etc/passwd', 'BST', 'x'.repeat(64), 'x'.repeat(65)]
  expect([...offsets, ...none].filter(takes)).toEqual([])
})
