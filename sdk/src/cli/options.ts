import { InvalidArgumentError, Option } from 'commander';

export const channels = ['dev', 'test', 'prod'] as const;

export function channelOption(description: string): Option {
  return new Option('--channel <channel>', description).choices(channels);
}

export function reasonOption(): Option {
  return new Option('--reason <text>', 'why, one line for the journal');
}

export function limitOption(): Option {
  return new Option('--limit <count>', 'so many at the most')
    .default(50)
    .argParser(wholeNumber(1, 10_000));
}

/** Parses a whole number between two bounds, both included. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`A whole number from ${min} to ${max}.`);
  };
}

/** Gathers an option that may be given again, and each time with several, commas between. */
export function gathered(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').filter((part) => part !== '')];
}

/** An RFC 3339 time, or a date alone for its beginning in UTC. */
export function time(text: string): string {
  const whole = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
  const isTime = /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)$/.test(whole);
  if (isTime && !Number.isNaN(Date.parse(whole))) return whole;
  throw new InvalidArgumentError('A time such as 2024-09-01T00:00:00Z, or a date.');
}

/** The number of a run. */
export function runNumber(text: string): number {
  const digits = text.replace(/^#/, '');
  if (/^[1-9]\d{0,11}$/.test(digits)) return Number(digits);
  throw new InvalidArgumentError('The number of a run, such as 184.');
}
