const pattern =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

const minuteMs = 60_000;
const dayMs = 86_400_000;

/**
 * Unix time in ms of an RFC 3339 date-time, years 0000 to 9999; undefined for anything else.
 * A zone is required; days must exist in the calendar; a fraction is cut to milliseconds.
 * A leap second (23:59:60 UTC) is the first second of the next day, as POSIX has it.
 */
export function parseRfc3339(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(Number);
  const [fraction = '', sign = '+', zoneHour = '0', zoneMinute = '0'] = match.slice(7);
  const midnightMs = dateMs(year, month, day);
  if (midnightMs === undefined || hour > 23 || minute > 59 || second > 60) return undefined;
  if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined;
  const zoneMs = (Number(zoneHour) * 60 + Number(zoneMinute)) * minuteMs;
  const localMs = midnightMs + (hour * 60 + minute) * minuteMs + second * 1000;
  const timeMs = sign === '+' ? localMs - zoneMs : localMs + zoneMs;
  if (second === 60 && timeMs % dayMs !== 0) return undefined;
  return timeMs + Number(fraction.slice(0, 3).padEnd(3, '0'));
}

/** Midnight UTC; undefined for a day that no calendar has, such as 30 February. */
function dateMs(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  // Unlike Date.UTC, takes the years 0 to 99 for what they are.
  const timeMs = date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? timeMs : undefined;
}
