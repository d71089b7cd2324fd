import { type BlackoutWindow, weekdays } from './channel-settings.ts';

const maxHoldMinutes = 15;

/**
 * The window that a moment lies in, or null. Local times are those of the zone's clocks: where they
 * are put forward or back, a window is an hour shorter or longer.
 */
export function blackoutAt(
  windows: readonly BlackoutWindow[],
  nowMs: number,
): BlackoutWindow | null {
  return windows.find((window) => covers(window, nowMs)) ?? null;
}

/** How long until no window holds any more, to the minute, at most 15: then look again. */
export function holdSeconds(windows: readonly BlackoutWindow[], nowMs: number): number {
  const minuteMs = 60_000;
  const firstMs = minuteMs - (nowMs % minuteMs);
  for (let minutes = 0; minutes < maxHoldMinutes; minutes++) {
    const waitMs = firstMs + minutes * minuteMs;
    if (blackoutAt(windows, nowMs + waitMs) === null) return Math.max(1, Math.ceil(waitMs / 1000));
  }
  return maxHoldMinutes * 60;
}

function covers(window: BlackoutWindow, nowMs: number): boolean {
  if ('since' in window) {
    return Date.parse(window.since) <= nowMs && nowMs < Date.parse(window.until);
  }
  const { day, time } = localTime(nowMs, window.timeZone);
  const { from, to } = window;
  const begins = (index: number) => {
    const name = weekdays[(index + 7) % 7];
    return name !== undefined && window.days.includes(name);
  };
  if (from < to) return begins(day) && from <= time && time < to;
  return (begins(day) && from <= time) || (begins(day - 1) && time < to);
}

/** The weekday, 0 for Sunday, and `HH:MM` on the clocks of a time zone. */
function localTime(
  nowMs: number,
  timeZone: string,
): { readonly day: number; readonly time: string } {
  const parts = formatter(timeZone).formatToParts(nowMs);
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? '';
  const day = weekdays.indexOf(of('weekday').toLowerCase() as (typeof weekdays)[number]);
  return { day, time: `${of('hour')}:${of('minute')}` };
}

function formatter(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
}
