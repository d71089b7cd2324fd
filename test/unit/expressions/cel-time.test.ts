import { expect, it } from 'vitest';
import { celTimeOf } from '../../../src/core/expressions/cel-time.ts';
import { compileExpression } from '../../../src/core/expressions/compile-expression.ts';

const valueAt = (text: string, timeMs: number) => {
  const compiled = compileExpression(text, ['now']);
  if ('problem' in compiled) throw new Error(compiled.problem);
  return compiled.expression.evaluate({ now: celTimeOf(timeMs) });
};

it.each([
  ['string(now)', '2024-03-10T07:30:00.123Z', '2024-03-10T07:30:00.123Z'],
  ['now.getMilliseconds()', '2024-03-10T07:30:00.123Z', 123n],
  // The clocks in New York are put forward at 07:00.
  ['now.getHours("America/New_York")', '2024-03-10T06:30:00Z', 1n],
  ['now.getHours("America/New_York")', '2024-03-10T07:30:00Z', 3n],
  ['now.getHours("America/New_York")', '2024-06-10T04:30:00Z', 0n],
  ['now.getDate("America/New_York")', '2024-06-10T04:30:00Z', 10n],
  ['now.getDayOfWeek("America/New_York")', '2024-06-10T03:30:00Z', 0n],
  ['now.getHours()', '2024-06-10T03:30:00Z', 3n],
  ['now < timestamp("1970-01-01T00:00:00.001Z")', '1970-01-01T00:00:00Z', true],
])('%s at %s: %s', (text, at, value) => {
  expect(valueAt(text, Date.parse(at))).toEqual({ value });
});
