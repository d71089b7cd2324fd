import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describeClock } from './clock.suite.ts';

describeClock('systemClock', () => ({
  clock: systemClock,
  pass: (ms) => setTimeout(ms),
}));

describeClock('ManualClock', () => {
  const clock = new ManualClock();
  return { clock, pass: (ms) => clock.advance(ms) };
});
