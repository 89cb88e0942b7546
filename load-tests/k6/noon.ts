/** A zone where it is noon or up to an hour later, so that nobody's day ends during a run. */
export const zoneOfNoon = (now: Date): string => {
  const east = 12 - now.getUTCHours()
  return `Etc/GMT${east === 0 ? '' : east > 0 ? `-${east}` : `+${-east}`}`
}
