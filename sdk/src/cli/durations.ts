import { InvalidArgumentError } from 'commander';

const secondsOf = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** `90`, `90s`, `5m`, `2h` or `1d`, in seconds. Errors: one for the command line. */
export function parseSeconds(text: string): number {
  const [, digits, unit = 's'] = /^(\d{1,9})\s*(s|m|h|d)?$/.exec(text.trim()) ?? [];
  if (digits === undefined) throw new InvalidArgumentError('A time such as 90s, 5m or 2h.');
  return Number(digits) * secondsOf[unit as keyof typeof secondsOf];
}

/** For people: `4.2 s`, `11 min 42 s`, `3 h 5 min`, `2 d 4 h`. */
export function formatMs(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  return formatSeconds(Math.floor(ms / 1000));
}

/** The same in whole seconds, for what counts up. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [minutes, hours] = [Math.floor(whole / 60), Math.floor(whole / 3600)];
  if (whole < 60) return `${whole} s`;
  if (hours < 1) return `${minutes} min ${whole % 60} s`;
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
